#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "resist/cluster/environment.h"
#include "resist/comm/membership.h"
#include "resist/comm/store.h"

namespace resist {

// Where the workers of a job tell each other who is there: keys of the job's store.
Store job_store(const LaunchInfo& info, std::chrono::milliseconds deadline);

// What a launcher has to say of the workers that it started, and to hear of them.
class WorkerRegister {
 public:
  explicit WorkerRegister(Store store) : store_(std::move(store)) {}

  // Workers have found each other and train.
  void note_start() { store_.set("started", ""); }
  bool started() const { return store_.has("started"); }
  // A worker's process has ended.
  void note_end(int identity, const std::string& how) { store_.set(end_key(identity), how); }
  // The members of a generation, where it has been formed; otherwise nothing.
  std::optional<std::vector<int>> members(std::int64_t generation) const;

 private:
  friend class JobMembership;
  static std::string end_key(int identity) { return "ended/" + std::to_string(identity); }
  static std::string members_key(std::int64_t generation) { return "members/" + std::to_string(generation); }
  Store store_;
};

// The membership of one worker of a job whose workers are processes, over the job's store. Every worker gives signs of
// life there from a thread of its own. When one notices a loss it calls for the next generation, which ends everybody's
// communication in this one. The next one exists once its list of members is written, which the store does for the
// first that tries: all members of the one before must have come by then, or have ended, or have been silent for as
// long as silence() says.
class JobMembership : public Membership {
 public:
  struct Job {
    LaunchInfo info;
    std::string address;                // of this worker's data connections
    int least = 1;                      // workers
    std::chrono::milliseconds timeout;  // within a synchronisation
  };
  // `first`: generation 0. Error where the store can't be reached.
  JobMembership(const Job& job, std::shared_ptr<Communicator> first);
  ~JobMembership() override;

  int identity() const override;
  Generation next_generation(const std::string& cause) override;
  // Three rounds as long as the longest so far, and five seconds at least: who stops for less just comes back.
  void round_took(double seconds) override;

 private:
  class Watch;
  Job job_;
  WorkerRegister register_;
  std::unique_ptr<Watch> watch_;
  std::int64_t generation_ = 0;
  std::vector<int> members_;
  int fruitless_ = 0;  // generations in a row
};

}  // namespace resist
