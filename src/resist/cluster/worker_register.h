#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "resist/cluster/environment.h"
#include "resist/comm/store.h"

namespace resist {

// The name of a job's so manieth attempt, from 0: one that is started anew under its old name meets nothing that is
// left of the one before at a rendezvous that has stayed.
std::string name_of_attempt(const std::string& job, int attempt);

// The part of the store at a rendezvous that belongs to a job, `name` being name_of_attempt()'s.
Store job_store(const Store& served, const std::string& name);
// The same, joined where it is served.
Store job_store(const LaunchInfo& info, std::chrono::milliseconds deadline);

// The jobs that have begun at a rendezvous, oldest first; those that are over are among them.
void add_job_name(Store& served, const std::string& name);
std::vector<std::string> job_names(const Store& served);

// The members of a generation, as they are written down.
struct MemberList {
  std::vector<int> members;  // identities, ascending
  int heard = 0;             // of all that have asked to join, so many have been heard
};

// What the processes of a job tell each other about who is there. Every thread needs one of its own.
class WorkerRegister {
 public:
  // `job`: the job's part of the store.
  explicit WorkerRegister(const Store& job) : store_(job.under("membership")) {}
  // Of a job that is served at its rendezvous.
  WorkerRegister(const LaunchInfo& info, std::chrono::milliseconds deadline)
      : WorkerRegister(job_store(info, deadline)) {}

  // The workers of generation 0 have found each other and train.
  void note_start(int workers) { store_.set("started", std::to_string(workers)); }
  bool started() const { return store_.has("started"); }
  // How many they are; waits for them until the store's deadline.
  int first_workers() const { return std::stoi(store_.get("started")); }
  // Nobody is to come to this attempt any more.
  void note_over() { store_.set("over", ""); }
  bool is_over() const { return store_.has("over"); }
  // Of a job that has started: whether one of its workers gives a sign of life; looks for it as long as `patience`.
  bool shows_life(std::chrono::milliseconds patience) const;

  // Tells this job from any other of the same name, also at another rendezvous. Made by whoever asks first.
  std::string mark();
  bool has_mark(const std::string& mark) const { return store_.find("mark") == mark; }

  // Gives signs of life.
  void beat(int identity, std::int64_t count) { store_.set(beat_key(identity), std::to_string(count)); }
  // The last one; empty: none yet.
  std::string last_beat(int identity) const;

  // A worker's process has ended.
  void note_end(int identity) { store_.set(end_key(identity), ""); }
  bool has_ended(int identity) const { return store_.has(end_key(identity)); }

  // A worker wants to join: which it is of all that ever did, from 1, and the identity that follows from it.
  int new_join() { return static_cast<int>(store_.add("joins", 1)); }
  static int identity_of_join(int join, int first_workers) { return first_workers + join - 1; }
  // It asks when it is ready to. Returns its place in the queue, from 1.
  int ask_to_join(int join);
  // The join that has this place; nothing: nobody yet.
  std::optional<int> who_asked(int place) const;

  // Where a worker is reached, for finding out who can be.
  void note_door(int identity, const Endpoint& door);
  Endpoint door_of(int identity) const;

  // Generations: somebody calls for one, its members-to-be come, one of them writes the list.
  void call(std::int64_t generation, const std::string& why) { store_.set_first(call_key(generation), why); }
  bool is_called(std::int64_t generation) const { return store_.has(call_key(generation)); }
  // What the first one who called for it gave as the reason.
  std::string why(std::int64_t generation) const { return store_.get(call_key(generation)); }
  // `unreached`: members of the one before whom it can't reach.
  void come(std::int64_t generation, int identity, const std::vector<int>& unreached = {});
  bool has_come(std::int64_t generation, int identity) const { return store_.has(here_key(generation, identity)); }
  std::vector<int> unreached_by(std::int64_t generation, int identity) const;
  void write(std::int64_t generation, const MemberList& list);  // unless somebody has already
  std::optional<MemberList> members(std::int64_t generation) const;
  std::int64_t newest_generation() const;
  // The members of the newest generation, of a job that has started.
  std::vector<int> present_workers() const;
  // Where its members connect.
  Store meeting_place(std::int64_t generation) const { return store_.under(place_key(generation)); }
  // What its members told each other, and where they connected: nobody needs it once the next one has connected.
  void forget(std::int64_t generation);

 private:
  static std::string beat_key(int identity) { return "beat/" + std::to_string(identity); }
  static std::string end_key(int identity) { return "ended/" + std::to_string(identity); }
  static std::string door_key(int identity) { return "door/" + std::to_string(identity); }
  static std::string queue_key(int place) { return "queue/" + std::to_string(place); }
  static std::string call_key(std::int64_t generation) { return "call/" + std::to_string(generation); }
  static std::string members_key(std::int64_t generation) { return "members/" + std::to_string(generation); }
  static std::string place_key(std::int64_t generation) { return "data/" + std::to_string(generation); }
  static std::string here_key(std::int64_t generation) { return "here/" + std::to_string(generation); }
  static std::string here_key(std::int64_t generation, int identity) {
    return here_key(generation) + "/" + std::to_string(identity);
  }
  Store store_;
};

}  // namespace resist
