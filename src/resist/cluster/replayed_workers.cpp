#include "resist/cluster/replayed_workers.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <tuple>
#include <vector>

#include "resist/comm/agreement.h"
#include "resist/comm/exchange.h"
#include "resist/comm/in_process.h"
#include "resist/comm/worker_threads.h"
#include "resist/core/error.h"

namespace resist {
namespace {

// The script is over: the training that is replayed went no further.
class ScriptEnds : public Error {
 public:
  ScriptEnds() : Error("the history ends here") {}
};

bool is_among(const std::vector<int>& members, int identity) {
  return std::ranges::binary_search(members, identity);
}

// What the threads share: who is where in the script.
class Stage {
 public:
  explicit Stage(const Replay& replay) : replay_(replay) {}

  const MembershipScript& script() const { return replay_.script; }
  const std::vector<int>& members_before(std::size_t change) const {
    return change == 0 ? first_members_ : script().changes[change - 1].members;
  }

  // Waits until the generation of that change has all its members.
  Generation enter(std::size_t change, int identity) {
    std::unique_lock lock(mutex_);
    here_[change].insert(identity);
    changed_.notify_all();
    changed_.wait(lock, [&] { return failed_ || is_complete(change) || is_abandoned(change); });
    if (failed_) {
      throw PeerFailed(kExitFailed);
    }
    if (!is_complete(change)) {
      throw ScriptEnds();
    }
    const auto& members = script().changes[change].members;
    auto& communicators = communicators_[change];
    if (communicators.empty()) {
      for (auto& communicator : make_in_process_group(static_cast<int>(members.size()), replay_.deadline)) {
        communicators.push_back(std::move(communicator));
      }
    }
    const auto rank = std::ranges::find(members, identity) - members.begin();
    return {.number = script().changes[change].generation,
            .members = members,
            .communicator = std::move(communicators[static_cast<std::size_t>(rank)])};
  }

  void end(int identity) {
    const std::lock_guard lock(mutex_);
    ended_.insert(identity);
    changed_.notify_all();
  }

  void fail() {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    changed_.notify_all();
  }

  bool has_failed() {
    const std::lock_guard lock(mutex_);
    return failed_;
  }

 private:
  // Under the lock. Those that leave have given back what they held, so that the next worker 0 can have the run folder.
  bool is_complete(std::size_t change) {
    const auto& members = script().changes[change].members;
    const auto& before = members_before(change);
    return std::ranges::all_of(members, [&](int member) { return here_[change].contains(member); }) &&
           std::ranges::all_of(before, [&](int old) { return is_among(members, old) || ended_.contains(old); });
  }

  // Under the lock. The training ended before, and nobody is left that could let in those that wait to join.
  bool is_abandoned(std::size_t change) {
    return std::ranges::all_of(members_before(change), [&](int old) { return ended_.contains(old); });
  }

  const Replay& replay_;
  const std::vector<int> first_members_ = everyone(replay_.script.workers);
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::size_t, std::set<int>> here_;  // by change
  std::map<std::size_t, std::vector<std::shared_ptr<Communicator>>> communicators_;
  std::set<int> ended_;
  bool failed_ = false;
};

class ReplayedMembership : public Membership {
 public:
  ReplayedMembership(Stage& stage, const Replay& replay, int identity, const std::atomic<int>& signal,
                     std::atomic<int>& stop)
      : stage_(stage), replay_(replay), identity_(identity), signal_(signal), stop_(stop) {}

  int identity() const override { return identity_; }

  void start(std::shared_ptr<Communicator> communicator) { communicator_ = std::move(communicator); }

  // In the generation of that change, in which this worker is new.
  Generation join(std::size_t change) {
    next_ = change;
    return go_over();
  }

  void passes(std::int64_t rounds, std::int64_t iterations) override {
    if (const int signal = signal_.load()) {
      stop_ = signal;
    }
    if (breaks_) {
      return;  // and will notice
    }
    const MembershipScript& script = stage_.script();
    const MembershipScript::Change* change = next_ < script.changes.size() ? &script.changes[next_] : nullptr;
    const auto here = std::tuple(rounds, iterations);
    const bool due = change != nullptr && here >= std::tuple(change->rounds, change->iterations);
    const bool in_round = due && change->in_round && here == std::tuple(change->rounds, change->iterations);
    const bool last_round = rounds + 1 >= script.last_round;
    if (replay_.goes_on && last_round && (!due || in_round)) {
      stop_ = SIGTERM;  // at the end of this round
    }
    if (due) {
      leave_generation(*change, in_round);
    } else if (!replay_.goes_on && rounds >= script.last_round) {
      throw ScriptEnds();
    }
  }

  Generation next_generation(const std::string& cause) override {
    if (stage_.has_failed()) {
      throw PeerFailed(kExitFailed);
    }
    if (!leaves_) {
      throw Error(fmt::format("the workers lost each other where the history says nothing of it: {}", cause));
    }
    return go_over();
  }

 private:
  void leave_generation(const MembershipScript::Change& change, bool in_round) {
    if (!is_among(change.members, identity_)) {
      throw LeftOut(fmt::format("worker {} was lost here", identity_));
    }
    leaves_ = true;
    if (in_round && !is_among(change.idle, identity_)) {
      breaks_ = true;
      communicator_->abort();
      return;
    }
    throw CommError("go on with", communicator_->rank(), communicator_->rank(), "", "the workers changed here");
  }

  Generation go_over() {
    Generation generation = stage_.enter(next_, identity_);
    ++next_;
    leaves_ = breaks_ = false;
    communicator_ = generation.communicator;
    return generation;
  }

  Stage& stage_;
  const Replay& replay_;
  int identity_;
  const std::atomic<int>& signal_;
  std::atomic<int>& stop_;
  std::shared_ptr<Communicator> communicator_;
  std::size_t next_ = 0;  // change
  bool leaves_ = false;   // the generation, as the script says
  bool breaks_ = false;   // and notices when it next communicates
};

// Everybody that joins, and by which change.
std::map<int, std::size_t> joiners_of(const MembershipScript& script) {
  std::map<int, std::size_t> joiners;
  for (std::size_t change = 0; change < script.changes.size(); ++change) {
    for (const int member : script.changes[change].members) {
      if (member >= script.workers) {
        joiners.emplace(member, change);
      }
    }
  }
  return joiners;
}

}  // namespace

void replay_workers(const Replay& replay, const std::atomic<int>& signal, std::atomic<int>& stop,
                    const MemberWork& work, const JoinerWork& join_work) {
  Stage stage(replay);
  const int workers = replay.script.workers;
  const auto joiners = joiners_of(replay.script);
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(workers) + joiners.size());
  const auto live = [&](int identity, std::exception_ptr& error, const std::function<void(ReplayedMembership&)>& life) {
    {
      ReplayedMembership membership(stage, replay, identity, signal, stop);
      try {
        life(membership);
      } catch (const LeftOut& lost) {
        spdlog::debug("{}", lost.what());
      } catch (const ScriptEnds& end) {
        spdlog::debug("{}", end.what());
      } catch (...) {
        error = std::current_exception();
        stage.fail();  // before the others notice that its connections are closed
      }
    }
    stage.end(identity);
  };
  std::vector<std::thread> first;
  std::vector<std::thread> later;
  first.reserve(static_cast<std::size_t>(workers));
  later.reserve(joiners.size());
  auto communicators = make_in_process_group(workers, replay.deadline);
  for (int identity = 0; identity < workers; ++identity) {
    first.emplace_back(
        [&, identity, own = std::shared_ptr<Communicator>(std::move(communicators[identity]))]() mutable {
          live(identity, errors[identity], [&](ReplayedMembership& membership) {
            membership.start(own);
            work(std::move(own), membership);
          });
        });
  }
  std::size_t place = static_cast<std::size_t>(workers);
  for (const auto& [identity, change] : joiners) {
    later.emplace_back([&, identity = identity, change = change, &error = errors[place]] {
      live(identity, error, [&](ReplayedMembership& membership) {
        Generation generation = membership.join(change);
        join_work(std::move(generation), membership);
      });
    });
    ++place;
  }
  for (std::thread& thread : first) {
    thread.join();
  }
  for (std::thread& thread : later) {
    thread.join();
  }
  rethrow_cause(std::move(errors));
}

}  // namespace resist
