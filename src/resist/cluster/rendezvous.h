#pragma once

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "resist/cluster/cores.h"
#include "resist/cluster/environment.h"
#include "resist/comm/communicator.h"
#include "resist/comm/store.h"
#include "resist/config/config.h"
#include "resist/core/error.h"

namespace resist {

// What a worker tells the others before they connect.
struct WorkerCard {
  std::string host;
  std::string address;  // where peers reach its data connections
  std::string stack;    // network_stack_id()
  std::string version;  // of resist and of libtorch
  std::string device;
  std::string precision;  // of its arithmetic
  Cores cores;
  bool resumes = false;  // goes on with a run, otherwise starts one
  // shared_json: what all workers must agree on. A worker that resumes a run whose folder it lacks tells only the
  // options that it was given.
  nlohmann::json config;
};

// A signal came while workers were still waited for; nothing had begun.
class Interrupted : public Error {
 public:
  explicit Interrupted(int signal);
  int signal() const { return signal_; }

 private:
  int signal_;
};

// The part of the store at a rendezvous that belongs to one job.
Store job_store(const Store& served, const std::string& job);
// The same, joined where it is served.
Store job_store(const LaunchInfo& info, std::chrono::milliseconds deadline);

// Brings the workers of one job together. InputError (on every worker alike) where versions or configs differ, naming
// worker, option and both values, or where a loopback address would have to serve other hosts, or where an address is
// not loopback and there is no token; Error where workers do
// not come before the deadline, naming them.
class Rendezvous {
 public:
  // Serves the store or joins it.
  Rendezvous(const LaunchInfo& info, std::chrono::milliseconds deadline);

  // All workers' cards, by rank, checked against worker 0's. Interrupted when `stop` becomes a signal's number.
  std::vector<WorkerCard> exchange(const WorkerCard& own, const std::atomic<int>& stop);
  // Of a worker that joins: worker 0's card, its own checked against it.
  WorkerCard meet_first(const WorkerCard& own);
  // Worker 0 writes down what all data must have in common; who joins compares its own. InputError where it differs.
  void note_data(const std::string& digest) { store_->set("data", digest); }
  void check_data(const std::string& digest) const;
  // Data connections between all workers; call after exchange().
  std::unique_ptr<Communicator> connect(const WorkerCard& own, std::chrono::milliseconds deadline);

 private:
  LaunchInfo info_;
  std::chrono::milliseconds deadline_;
  std::optional<Store> served_;  // keeps the store alive where this process serves it
  std::optional<Store> store_;
};

// Throws InputError where the cards can't work together; pure.
void check_cards(const std::vector<WorkerCard>& cards);

}  // namespace resist
