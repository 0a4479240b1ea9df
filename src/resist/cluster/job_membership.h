#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "resist/cluster/environment.h"
#include "resist/comm/membership.h"
#include "resist/comm/store.h"

namespace resist {

// The members of a generation, as they are written down.
struct MemberList {
  std::vector<int> members;  // identities, ascending
  int joins = 0;             // of all that have asked to join, so many have been heard
};

// What the processes of a job tell each other about who is there. Every thread needs one of its own.
class WorkerRegister {
 public:
  // `job`: the job's part of the store.
  explicit WorkerRegister(const Store& job) : store_(job.under("membership")) {}
  // Of a job that is served at its rendezvous.
  WorkerRegister(const LaunchInfo& info, std::chrono::milliseconds deadline);

  // The workers of generation 0 have found each other and train.
  void note_start(int workers) { store_.set("started", std::to_string(workers)); }
  bool started() const { return store_.has("started"); }
  // How many they are; waits for them until the store's deadline.
  int first_workers() const { return std::stoi(store_.get("started")); }

  // Gives signs of life.
  void beat(int identity, std::int64_t count) { store_.set(beat_key(identity), std::to_string(count)); }
  // The last one; empty: none yet.
  std::string last_beat(int identity) const;

  // A worker's process has ended.
  void note_end(int identity) { store_.set(end_key(identity), ""); }
  bool has_ended(int identity) const { return store_.has(end_key(identity)); }

  // A worker wants to join: its place among all that ever did, from 1, and the identity that follows from it.
  int new_join() { return static_cast<int>(store_.add("joins", 1)); }
  static int identity_of_join(int join, int first_workers) { return first_workers + join - 1; }
  void ask_to_join(int join) { store_.set(join_key(join), ""); }
  bool has_asked(int join) const { return store_.has(join_key(join)); }

  // Generations: somebody calls for one, its members-to-be come, one of them writes the list.
  void call(std::int64_t generation, const std::string& why) { store_.set(call_key(generation), why); }
  bool is_called(std::int64_t generation) const { return store_.has(call_key(generation)); }
  void come(std::int64_t generation, int identity) { store_.set(here_key(generation, identity), ""); }
  bool has_come(std::int64_t generation, int identity) const { return store_.has(here_key(generation, identity)); }
  void write(std::int64_t generation, const MemberList& list);  // unless somebody has already
  std::optional<MemberList> members(std::int64_t generation) const;
  // What its members told each other, and where they connected: nobody needs it once the next one has connected.
  void forget(std::int64_t generation);
  // Where its members connect.
  Store meeting_place(std::int64_t generation) const { return store_.under(place_key(generation)); }

 private:
  static std::string beat_key(int identity) { return "beat/" + std::to_string(identity); }
  static std::string end_key(int identity) { return "ended/" + std::to_string(identity); }
  static std::string join_key(int join) { return "join/" + std::to_string(join); }
  static std::string call_key(std::int64_t generation) { return "call/" + std::to_string(generation); }
  static std::string members_key(std::int64_t generation) { return "members/" + std::to_string(generation); }
  static std::string place_key(std::int64_t generation) { return "data/" + std::to_string(generation); }
  static std::string here_key(std::int64_t generation) { return "here/" + std::to_string(generation); }
  static std::string here_key(std::int64_t generation, int identity) {
    return here_key(generation) + "/" + std::to_string(identity);
  }
  Store store_;
};

// The membership of one worker of a job whose workers are processes, over the job's store. Every worker gives signs of
// life there from a thread of its own. When one notices a loss it calls for the next generation, which ends everybody's
// communication in this one. The next one exists once its list of members is written, which the store does for the
// first that tries: all members of the one before must have come by then, or have ended, or have been silent for as
// long as it is told not to be. Who wants to join asks, and is let in by the generation that all call for at the end of
// that round.
class JobMembership : public Membership {
 public:
  struct Job {
    LaunchInfo info;
    int identity = 0;
    std::string address;                // of this worker's data connections
    int least = 1;                      // workers
    std::chrono::milliseconds timeout;  // within a synchronisation
  };
  // `first`: generation 0. Error where the store can't be reached.
  JobMembership(const Job& job, std::shared_ptr<Communicator> first);
  // Of a worker that wants to join as number `join`; join() comes next.
  JobMembership(const Job& job, int join);
  ~JobMembership() override;

  // Waits until the others let this worker in. Interrupted when `stop` becomes a signal's number; Error when the
  // job has ended.
  Generation join(const std::atomic<int>& stop);

  int identity() const override { return job_.identity; }
  bool somebody_waits() const override;
  Generation next_generation(const std::string& cause) override;
  // A worker is lost when it is silent for three rounds as long as the longest so far, and five seconds at least: who
  // stops for less just comes back. Half a minute before a round has been timed.
  void round_took(double seconds) override;

 private:
  class Watch;
  std::optional<MemberList> list_for(std::int64_t next, std::chrono::steady_clock::duration waited) const;
  std::optional<Generation> enter(std::int64_t generation, std::string& why);

  Job job_;
  WorkerRegister register_;
  int first_workers_;
  int join_ = 0;  // 0: it was there from the start
  std::unique_ptr<Watch> watch_;
  std::int64_t generation_ = 0;
  MemberList list_;     // of that generation
  bool timed_ = false;  // a round
  int fruitless_ = 0;   // generations in a row
};

}  // namespace resist
