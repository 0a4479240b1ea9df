#pragma once

#include <cstdint>
#include <vector>

#include "resist/plan/forecast.h"
#include "resist/plan/link.h"

namespace resist {

// A worker goes, or comes back.
struct Outage {
  double seconds = 0;    // since the start
  int worker = 0;        // 0-based
  bool returns = false;  // false: it dies
  bool cut_off = false;  // its death closes no connection: the others notice it at the deadline (--timeout) only
};

// What a cluster is that one does not have. Lists hold one value for all workers, or one for each. A spread is the
// standard deviation of a value's natural logarithm: values are log-normal around the given one, their median.
struct ClusterModel {
  int workers = 4;

  std::vector<double> speeds;  // operations (model/operations.h) a second of local steps
  double speed_spread = 0;     // from worker to worker
  double jitter = 0;           // the same from round to round, drawn anew for each worker's local iterations

  std::vector<double> bandwidths;       // bits per second of a worker's link, each way at once
  double bandwidth_spread = 0;          // from worker to worker
  std::vector<double> latencies = {0};  // seconds from a worker to the middle of its site, one way
  double handling = kUsualHandling;     // WorkerSpeed::handling

  // Workers lie in sites of equal size, consecutive ones together. All that a site sends to others, or receives from
  // them, goes over its uplink.
  int sites = 1;
  double uplink_bandwidth = 0;  // bits per second, each way at once; needed with several sites
  double uplink_latency = 0;    // seconds from a site to the middle of the network between sites, one way

  double failures_per_hour = 0;       // of one worker, while it lives; at exponential times
  double return_seconds = 600;        // mean of the exponential time until a dead worker is back; 0: it never is
  double cut_off_share = 0;           // of failures that are cut off
  std::vector<Outage> known_outages;  // that happen for certain, besides those that are drawn

  // The same without failures and spreads: every worker has the mean of the given values.
  ClusterModel even() const;
  // InputError names the flag of `resist simulate`.
  void validate() const;
};

inline constexpr int kMostSimulated = 100'000;  // workers

// The random choices of a simulation: pure functions of seed, kind, worker and position.
class ClusterDraws {
 public:
  enum class Kind : std::uint32_t { speed, bandwidth, jitter, life, absence, cut_off, hand };

  explicit ClusterDraws(std::uint64_t seed) : seed_(seed) {}

  double uniform(Kind kind, int worker, std::int64_t position) const;  // in [0, 1)
  double exponential(Kind kind, int worker, std::int64_t position, double mean) const;
  // exp(spread * standard normal); exactly 1 where the spread is 0.
  double log_normal(Kind kind, int worker, std::int64_t position, double spread) const;
  // `count` different ones of 0..bound-1, ascending.
  std::vector<int> hand(int worker, std::int64_t position, int count, int bound) const;

 private:
  std::uint64_t seed_;
};

// One cluster of a model's kind.
struct Cluster {
  Cluster(const ClusterModel& cluster_model, std::uint64_t seed);

  int site(int worker) const { return static_cast<int>(std::int64_t{worker} * model.sites / model.workers); }

  ClusterModel model;
  ClusterDraws draws;
  std::vector<double> speeds;  // per worker
  std::vector<Link> links;     // per worker
};

}  // namespace resist
