#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "resist/cluster/door.h"
#include "resist/cluster/environment.h"
#include "resist/cluster/membership_watch.h"
#include "resist/cluster/worker_register.h"
#include "resist/comm/membership.h"

namespace resist {

// The rendezvous can't be reached any more, or another one has taken its place. Only there can be said which workers
// are left.
class RendezvousLost : public Error {
 public:
  explicit RendezvousLost(const LaunchInfo& info);
};

// The membership of one worker of a job whose workers are processes, over the job's store. Every worker gives signs of
// life there from a thread of its own. When one notices a loss it calls for the next generation, which ends everybody's
// communication in this one. The next one exists once its list of members is written, which the store does for the
// first that tries: all members of the one before must have come by then, or have ended, or have been silent for as
// long as it is told not to be. Who wants to join asks, and is let in by the generation that all call for at the end of
// that round, if there is room. Where two can't reach each other, one of them is left out (mutual_reach.h).
class JobMembership : public Membership {
 public:
  // `first`: generation 0. Error where the store can't be reached.
  JobMembership(const JobWorker& job, std::shared_ptr<Communicator> first);
  // Of a worker that wants to join, as number `join`, or where that is 0 as the next; join() comes next.
  JobMembership(const JobWorker& job, int join);
  // Tells the others that this worker ends.
  ~JobMembership() override;

  // Waits until the others let this worker in: as long as there are as many as the job wants, it stands by for one that
  // is lost. Interrupted when `stop` becomes a signal's number; Error when the job has ended.
  Generation join(const std::atomic<int>& stop);

  int identity() const override { return job_.identity; }
  bool somebody_waits() const override;
  void call_next(const std::string& cause) override;
  Generation next_generation(const std::string& cause) override;
  // A worker is lost when it is silent for three rounds as long as the longest so far, and five seconds at least: who
  // stops for less just comes back. Half a minute before a round has been timed.
  void round_took(double seconds) override;
  // It can't be reached for as long as the others would wait for this worker's signs of life.
  bool rendezvous_lost() const override;

 private:
  void reach_job();
  Generation form_generation(std::string why);
  std::optional<MemberList> list_for(std::int64_t next, std::chrono::steady_clock::duration waited) const;
  void note_those_gone(std::int64_t next);
  std::vector<Answer> knock_at(const std::vector<int>& members, std::chrono::milliseconds patience) const;
  std::vector<int> out_of_reach() const;
  std::optional<Generation> enter(std::int64_t generation, std::string& why);
  std::string why_left_out(std::int64_t generation) const;
  void forget_before(std::int64_t generation);

  JobWorker job_;
  WorkerRegister register_;
  std::string mark_;  // the job's
  int first_workers_;
  int join_ = 0;                // 0: it was there from the start
  std::vector<int> unreached_;  // at the last attempt to connect
  std::unique_ptr<MembershipWatch> watch_;
  std::int64_t generation_ = 0;
  std::int64_t forgotten_ = 0;  // all generations before this one
  MemberList list_;             // of that generation
  bool timed_ = false;          // a round
  int fruitless_ = 0;           // generations in a row
};

}  // namespace resist
