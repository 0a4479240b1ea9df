#include "resist/cluster/membership_script.h"

#include <gtest/gtest.h>

#include "resist/core/error.h"

namespace resist {
namespace {

using Change = MembershipScript::Change;

CommitRecord commit(std::int64_t round, std::int64_t generation, std::vector<int> members,
                    const std::vector<int>& contributors, std::int64_t iterations = 3) {
  CommitRecord record{.round = round, .generation = generation, .members = std::move(members)};
  for (const int worker : contributors) {
    record.contributions.push_back({.worker = worker, .iterations = iterations});
  }
  return record;
}

GenerationRecord generation(std::int64_t number, std::int64_t round, std::vector<int> members, bool kept) {
  return {.generation = number, .round = round, .members = std::move(members), .round_kept = kept};
}

TEST(MembershipScript, ARunWithoutChangesHasNone) {
  const auto scripts = membership_scripts({StartRecord{.round = 0, .workers = 2}, commit(1, 0, {0, 1}, {0, 1})}, false);
  ASSERT_EQ(scripts.size(), 1U);
  EXPECT_EQ(scripts[0], (MembershipScript{
                            .workers = 2, .first_round = 0, .last_round = 1, .changes = {}, .blocks = {{{0, 1}, {}}}}));
}

TEST(MembershipScript, ALossWithinARoundShowsInItsCommit) {
  const auto scripts = membership_scripts({StartRecord{.round = 0, .workers = 3}, commit(1, 0, {0, 1, 2}, {0, 1, 2}),
                                           generation(1, 1, {0, 2}, true), commit(2, 1, {0, 2}, {0, 2})},
                                          false);
  EXPECT_EQ(
      scripts[0].changes,
      (std::vector<Change>{{.rounds = 1, .iterations = 0, .in_round = true, .generation = 1, .members = {0, 2}}}));
}

TEST(MembershipScript, WithGradientsAveragedItShowsHowManyStepsWereDone) {
  const auto scripts = membership_scripts(
      {StartRecord{.round = 0, .workers = 2}, generation(1, 0, {1}, true), commit(1, 1, {1}, {0, 1}, 2)}, true);
  EXPECT_EQ(scripts[0].changes,
            (std::vector<Change>{{.rounds = 0, .iterations = 2, .in_round = true, .generation = 1, .members = {1}}}));
}

// Worker 0 is lost when worker 1 has not begun its iterations yet, and worker 2 has.
TEST(MembershipScript, WhoNoticedALossBeforeItTrainedGaveNothing) {
  const auto scripts = membership_scripts(
      {StartRecord{.round = 0, .workers = 3}, generation(1, 0, {1, 2, 3}, true), commit(1, 1, {1, 2, 3}, {2})}, false);
  ASSERT_EQ(scripts[0].changes.size(), 1U);
  EXPECT_EQ(scripts[0].changes[0].idle, std::vector<int>{1});  // 3 has only just joined
}

// Worker 1 is lost within round 2. It is mended and committed in generation 1, of which nobody hears, since worker 0 is
// lost then; generation 2 is written down before the commit of round 2.
TEST(MembershipScript, AChangeBetweenRoundsFollowsTheCommitBeforeIt) {
  const auto scripts = membership_scripts(
      {StartRecord{.round = 0, .workers = 4}, commit(1, 0, {0, 1, 2, 3}, {0, 1, 2, 3}), generation(2, 2, {2, 3}, false),
       commit(2, 1, {0, 2, 3}, {0, 2, 3}), commit(3, 2, {2, 3}, {2, 3})},
      false);
  EXPECT_EQ(
      scripts[0].changes,
      (std::vector<Change>{{.rounds = 1, .iterations = 0, .in_round = true, .generation = 1, .members = {0, 2, 3}},
                           {.rounds = 2, .iterations = 0, .in_round = false, .generation = 2, .members = {2, 3}}}));
}

TEST(MembershipScript, EveryStartHasItsOwn) {
  const auto scripts = membership_scripts({StartRecord{.round = 0, .workers = 2}, commit(1, 0, {0, 1}, {0, 1}),
                                           StartRecord{.round = 1, .workers = 3, .options = {{"epochs", 9}}},
                                           generation(1, 1, {0, 1}, false), commit(2, 1, {0, 1}, {0, 1})},
                                          false);
  ASSERT_EQ(scripts.size(), 2U);
  EXPECT_EQ(scripts[0].last_round, 1);
  EXPECT_EQ(scripts[1].workers, 3);
  EXPECT_EQ(scripts[1].options, (nlohmann::json{{"epochs", 9}}));
  EXPECT_EQ(scripts[1].first_round, 1);
  EXPECT_EQ(scripts[1].last_round, 2);
  EXPECT_EQ(scripts[1].changes.size(), 1U);
}

TEST(MembershipScript, WhatContradictsItselfIsRefused) {
  const StartRecord start{.round = 0, .workers = 2};
  const auto first = commit(1, 0, {0, 1}, {0, 1});
  for (const std::vector<HistoryRecord>& history : std::vector<std::vector<HistoryRecord>>{
           {},
           {first},
           {StartRecord{.round = 0, .workers = 0}},
           {StartRecord{.round = 0, .workers = 1'000'000'000}},
           {start, commit(2, 0, {0, 1}, {0, 1})},
           {start, first, first},
           {start, commit(1, 0, {0, 1}, {})},
           {start, first, generation(1, 1, {}, false)},
           {start, first, generation(1, 1, {1, 0}, false)},
           {start, first, generation(1, 1, {-1}, false)},
           {start, first, generation(1, 1, {0, 1'000'000}, false)},
           {start, first, generation(0, 1, {0}, false)},
           {start, first, generation(1, 1, {0}, false), commit(2, 0, {0, 1}, {0, 1})}}) {
    EXPECT_THROW(membership_scripts(history, false), InputError);
  }
}

}  // namespace
}  // namespace resist
