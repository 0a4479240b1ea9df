#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "resist/cluster/door.h"
#include "resist/cluster/environment.h"
#include "resist/cluster/worker_register.h"
#include "resist/comm/communicator.h"

namespace resist {

inline constexpr auto kStoreDeadline = std::chrono::seconds(10);  // of one request to the rendezvous, and of connecting
// After which a worker is taken for lost before a round has been timed, or if it never gave a sign of life.
inline constexpr auto kFirstSilence = std::chrono::seconds(30);

// A worker of a job whose workers are processes.
struct JobWorker {
  LaunchInfo info;
  int identity = 0;
  std::string address;  // of this worker's data connections
  int least = 1;        // workers
  int most = 1;
  std::chrono::milliseconds timeout{};  // within a synchronisation
};

// The thread that gives a worker's signs of life, and looks for those of the other members of its generation: who is
// silent, whether the next generation is called for (which ends the communication in this one), who waits to join. It
// has a connection of its own to the rendezvous, so that nothing else holds it up.
class MembershipWatch {
 public:
  // `mark`: the job's. `first`: of generation 0; null for a worker that is yet to join.
  MembershipWatch(const JobWorker& worker, std::string mark, std::shared_ptr<Communicator> first, MemberList list);
  ~MembershipWatch();
  MembershipWatch(const MembershipWatch&) = delete;
  MembershipWatch& operator=(const MembershipWatch&) = delete;

  void enter(std::int64_t generation, std::shared_ptr<Communicator> communicator, const MemberList& list);
  void set_silence(std::chrono::milliseconds silence);
  // How long a worker may give no sign of life.
  std::chrono::milliseconds silence() const;
  // Whether a member has ever given one, and whether it has given none for too long.
  bool was_heard(int member) const;
  bool is_silent(int member) const;
  bool somebody_waits() const;
  // Whether the rendezvous has been out of reach for as long as a worker may be silent, or is another one now.
  bool rendezvous_lost() const;

 private:
  struct Heard {
    std::string beat;
    // Counted in this thread's own looks, not in time that has passed: if this process was stopped, nobody else was.
    std::chrono::milliseconds silent{0};
  };

  void run();
  bool pause();
  void note_contact();
  void reconnect();
  void look();
  void listen_to(int member, std::int64_t next);

  int identity_;
  Door door_;
  WorkerRegister register_;  // with a connection of its own
  LaunchInfo info_;
  std::string mark_;
  int most_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  mutable std::condition_variable in_contact_;
  std::int64_t generation_ = 0;  // these are guarded
  std::shared_ptr<Communicator> communicator_;
  MemberList list_;
  std::chrono::milliseconds silence_;
  std::map<int, Heard> heard_;
  bool somebody_waits_ = false;
  std::chrono::steady_clock::time_point last_contact_;  // with the rendezvous
  bool replaced_ = false;                               // another rendezvous is in its place
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace resist
