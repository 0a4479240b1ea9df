#include "resist/cluster/replayed_workers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <mutex>

#include "resist/comm/agreement.h"
#include "resist/comm/collectives.h"
#include "resist/comm/tags.h"
#include "resist/core/error.h"

namespace resist {
namespace {

// Workers that do in every round what a trainer does: pass each iteration, and tell each other who they are at its end.
class Rounds {
 public:
  explicit Rounds(std::int64_t rounds) : rounds_(rounds) {}

  void work(std::shared_ptr<Communicator> communicator, Membership& membership, std::int64_t round,
            const std::atomic<int>& stop) {
    bool stops = false;
    for (; round < rounds_ && !stops; ++round) {
      std::int64_t iteration = 0;
      while (true) {
        try {
          for (; iteration < 2; ++iteration) {
            membership.passes(round, iteration);
          }
          const auto others = all_gather_value(*communicator, membership.identity(), kControlTag);
          const auto told = all_gather_value(*communicator, stop.load(), kControlTag);
          stops = std::ranges::max(told) != 0;  // as trainers agree on it
          const std::lock_guard lock(mutex_);
          met[round + 1][membership.identity()] = others;
          break;
        } catch (const CommError& error) {
          {
            const std::lock_guard lock(mutex_);
            given[round + 1][membership.identity()] = iteration;
          }
          communicator = membership.next_generation(error.what()).communicator;
        }
      }
    }
  }

  // Who met whom, by round and worker.
  std::map<std::int64_t, std::map<int, std::vector<int>>> met;
  // Iterations that were done when the workers changed, in the same way.
  std::map<std::int64_t, std::map<int, std::int64_t>> given;

 private:
  std::int64_t rounds_;
  std::mutex mutex_;
};

// Everybody of a generation met everybody of it.
void expect_met(const Rounds& rounds, std::int64_t round, const std::vector<int>& members) {
  const auto& met = rounds.met.at(round);
  EXPECT_EQ(met.size(), members.size()) << "round " << round;
  for (const int member : members) {
    EXPECT_EQ(met.at(member), members) << "round " << round << ", worker " << member;
  }
}

Replay replay_of(MembershipScript script, bool goes_on = false) {
  return {.script = std::move(script), .goes_on = goes_on, .deadline = std::chrono::seconds(60)};
}

void run(Rounds& rounds, const Replay& replay, std::int64_t joined_in = 0) {
  const std::atomic<int> signal = 0;
  std::atomic<int> stop = 0;
  replay_workers(
      replay, signal, stop,
      [&](const std::shared_ptr<Communicator>& communicator, Membership& membership) {
        rounds.work(communicator, membership, 0, stop);
      },
      [&](Generation generation, Membership& membership) {
        rounds.work(std::move(generation.communicator), membership, joined_in, stop);
      });
}

TEST(ReplayedWorkers, ComeAndGoWhereTheScriptSaysSo) {
  for (const bool in_round : {false, true}) {
    SCOPED_TRACE(in_round);
    Rounds rounds(6);
    run(rounds,
        replay_of({.workers = 3,
                   .last_round = 6,
                   .changes = {{.rounds = 2, .in_round = in_round, .generation = 1, .members = {0, 2}},
                               {.rounds = 4, .generation = 2, .members = {2, 3}}}}),
        4);
    for (const std::int64_t round : {1, 2}) {
      expect_met(rounds, round, {0, 1, 2});
    }
    for (const std::int64_t round : {3, 4}) {
      expect_met(rounds, round, {0, 2});
    }
    for (const std::int64_t round : {5, 6}) {
      expect_met(rounds, round, {2, 3});
    }
  }
}

TEST(ReplayedWorkers, WhoGaveNothingToARoundDoesNotTrainInIt) {
  Rounds rounds(4);
  run(rounds,
      replay_of({.workers = 3,
                 .last_round = 4,
                 .changes = {{.rounds = 2, .in_round = true, .generation = 1, .members = {1, 2}, .idle = {1}}}}));
  EXPECT_EQ(rounds.given.at(3), (std::map<int, std::int64_t>{{1, 0}, {2, 2}}));
  expect_met(rounds, 4, {1, 2});
}

TEST(ReplayedWorkers, EndWhereTheHistoryDoesOrAreToldToStopThere) {
  for (const bool goes_on : {false, true}) {
    Rounds rounds(10);
    run(rounds, replay_of({.workers = 2, .last_round = 4}, goes_on));
    EXPECT_EQ(rounds.met.size(), 4U);
  }
}

// A user's signal comes before the worker that joins was let in.
TEST(ReplayedWorkers, WhoIsNeverLetInEndsWithTheOthers) {
  Rounds rounds(10);
  const std::atomic<int> signal = SIGINT;
  std::atomic<int> stop = 0;
  bool joined = false;
  replay_workers(
      replay_of({.workers = 2, .last_round = 10, .changes = {{.rounds = 5, .generation = 1, .members = {0, 1, 2}}}}),
      signal, stop,
      [&](const std::shared_ptr<Communicator>& communicator, Membership& membership) {
        rounds.work(communicator, membership, 0, stop);
      },
      [&](const Generation& /*generation*/, Membership& /*membership*/) { joined = true; });
  EXPECT_EQ(stop, SIGINT);
  EXPECT_FALSE(joined);
}

TEST(ReplayedWorkers, AnErrorEndsAllAndIsTheOneThatIsThrown) {
  const std::atomic<int> signal = 0;
  std::atomic<int> stop = 0;
  Rounds rounds(10);
  const auto fail = [&] {
    replay_workers(
        replay_of({.workers = 3, .last_round = 10}), signal, stop,
        [&](const std::shared_ptr<Communicator>& communicator, Membership& membership) {
          if (membership.identity() == 1) {
            throw InputError("worker 1 has had enough");
          }
          rounds.work(communicator, membership, 0, stop);
        },
        [](const Generation&, Membership&) {});
  };
  try {
    fail();
    ADD_FAILURE() << "no error";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "worker 1 has had enough");
  }
}

TEST(ReplayedWorkers, ALossOfWhichTheHistorySaysNothingIsAnError) {
  const std::atomic<int> signal = 0;
  std::atomic<int> stop = 0;
  Rounds rounds(10);
  EXPECT_THROW(replay_workers(
                   replay_of({.workers = 2, .last_round = 10}), signal, stop,
                   [&](const std::shared_ptr<Communicator>& communicator, Membership& membership) {
                     if (membership.identity() == 1) {
                       return;
                     }
                     rounds.work(communicator, membership, 0, stop);
                   },
                   [](const Generation&, Membership&) {}),
               Error);
}

}  // namespace
}  // namespace resist
