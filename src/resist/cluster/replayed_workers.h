#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>

#include "resist/cluster/membership_script.h"
#include "resist/comm/communicator.h"
#include "resist/comm/membership.h"

namespace resist {

using MemberWork = std::function<void(std::shared_ptr<Communicator>, Membership&)>;
using JoinerWork = std::function<void(Generation, Membership&)>;

struct Replay {
  MembershipScript script;
  // Where the run was started again after so many rounds, the workers are told to stop there; otherwise the replay ends
  // where the script does, however far the training would go.
  bool goes_on = false;
  std::chrono::milliseconds deadline;  // within a communication
};

// Runs the workers of a script as threads of this process: `work` for those of the start, `join_work` for those that
// join, and lets them come and go as the script says. Blocks until all have ended; throws one of their errors, as
// run_worker_threads does. `signal`: a user's; it and the end of a script that goes on are told by `stop`, which the
// workers watch.
void replay_workers(const Replay& replay, const std::atomic<int>& signal, std::atomic<int>& stop,
                    const MemberWork& work, const JoinerWork& join_work);

}  // namespace resist
