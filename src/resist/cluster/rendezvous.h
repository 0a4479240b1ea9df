#pragma once

#include <atomic>
#include <chrono>
#include <iosfwd>
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

// Brings the workers of one job together. InputError (on every worker alike) where versions or configs differ, naming
// worker, option and both values, or where a loopback address would have to serve other hosts, or where an address is
// not loopback and there is no token; Error where workers do not come before the deadline, naming them.
class Rendezvous {
 public:
  // Serves the store or joins it.
  Rendezvous(const LaunchInfo& info, std::chrono::milliseconds deadline);
  // Of a worker that wants to join the job at `at`, whose token it has: waits until one trains there, until the
  // deadline. InputError where there are several and `at` names none.
  Rendezvous(const Endpoint& at, const std::string& token, std::chrono::milliseconds deadline,
             const std::atomic<int>& stop);

  // All workers' cards, by rank, checked against worker 0's. Nothing: the job trains already, and this worker can only
  // join it. Interrupted when `stop` becomes a signal's number.
  std::optional<std::vector<WorkerCard>> exchange(const WorkerCard& own, const std::atomic<int>& stop);
  // Of a worker that joins: worker 0's card, its own checked against it.
  WorkerCard meet_first(const WorkerCard& own);
  // Of a worker that joins: leaves its card for others that do.
  void add_card(int identity, const WorkerCard& own);
  // Those of the workers that train now.
  std::vector<WorkerCard> present_cards() const;
  // Worker 0 writes down what all data must have in common, and that there is a job to join; who joins compares its
  // own. InputError where it differs.
  void note_data(const std::string& digest);
  void check_data(const std::string& digest) const;
  // Data connections between all workers; call after exchange().
  std::unique_ptr<Communicator> connect(const WorkerCard& own, std::chrono::milliseconds deadline);

  // As the launcher has it, with the job's whole name from exchange() on.
  const LaunchInfo& info() const { return info_; }

 private:
  bool find_attempt();
  bool wait_for_all(const std::string& what, std::chrono::steady_clock::time_point end, const std::atomic<int>& stop);

  LaunchInfo info_;
  std::string job_;  // its name without the attempt
  int attempt_ = 0;
  std::chrono::milliseconds deadline_;
  Store served_;
  std::optional<Store> store_;  // the job's part
};

// `resist rendezvous`: serves a rendezvous for workers that are told so until `stop` becomes a signal's number. Without
// a token for this machine's workers only.
void serve_rendezvous(int port, const std::string& token, const std::atomic<int>& stop, std::ostream& out);

// Throws InputError where the cards can't work together; pure.
void check_cards(const std::vector<WorkerCard>& cards);

}  // namespace resist
