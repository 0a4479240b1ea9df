#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "resist/config/config.h"
#include "resist/model/layout.h"
#include "resist/partition/assignment.h"
#include "resist/plan/link.h"

namespace resist {

// How fast a worker is.
struct WorkerSpeed {
  double training = 0;    // floating-point operations (operations.h) a second in local steps
  double evaluation = 0;  // the same in forward passes of the whole network
  double handling = 0;    // seconds for each byte of payload sent or received: copying, averaging, coding, TCP
};

// Seconds for a byte of payload where that was not measured: about what one core of an AVX2 server takes.
inline constexpr double kUsualHandling = 1.5e-9;

// What a run works on, and with what.
struct Circumstances {
  std::vector<WorkerSpeed> speeds;      // per worker
  std::vector<Link> links;              // per worker
  std::int64_t training_samples = 0;    // in the data set
  std::int64_t evaluation_samples = 0;  // in what the run is judged by
};

// A round. Seconds are those of the slowest worker.
struct RoundForecast {
  double operations = 0;  // of local steps, all workers
  double bytes = 0;       // payload sent, all workers
  double compute_seconds = 0;
  double sync_seconds = 0;  // with --overlap: what the next round's local steps do not hide, where they may

  double seconds() const { return compute_seconds + sync_seconds; }
};

// A run.
struct Forecast {
  std::int64_t rounds = 0;         // without those of the warm-up
  std::int64_t warmup_rounds = 0;  // every worker trains every block in these, whether they come first or last
  std::int64_t evaluations = 0;
  RoundForecast round;  // mean
  RoundForecast warmup_round;
  std::int64_t checkpoints = 0;    // besides those of new best accuracies
  double evaluation_seconds = 0;   // of one
  double checkpoint_seconds = 0;   // of one: until worker 0 has what the others alone have
  double calibration_seconds = 0;  // running statistics at the end

  double seconds() const;
  double bytes() const;
  double operations() const;
};

// What --balance comes to deal to workers that are as fast; empty without it: equal hands.
Hands hands_for(const Config& config, const NetworkSpec& spec, const Layout& layout,
                const std::vector<WorkerSpeed>& speeds);

// Says what training with one method on one number of workers will take. It plans the exchanges of some rounds once;
// asking about many circumstances is cheap then.
class Forecaster {
 public:
  // `hands`: what resist deals to each worker; empty: equal ones. InputError where the dealing is impossible. All
  // references but that must outlive it.
  Forecaster(const Config& config, const NetworkSpec& spec, const Layout& layout, int workers, const Hands& hands = {});
  ~Forecaster();
  Forecaster(Forecaster&&) noexcept;

  Forecast forecast(const Circumstances& circumstances) const;
  // The rate of the links, bits per second each, at which a round's synchronisation takes as long as its local steps;
  // slower ones are the bottleneck. Latencies stay. Infinity: the synchronisation takes longer over any link.
  double balanced_bandwidth(const Circumstances& circumstances) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resist
