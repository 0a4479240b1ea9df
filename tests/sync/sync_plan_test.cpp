#include "resist/sync/sync_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace resist {
namespace {

Layout paper_layout() {
  return make_layout({.depths = {3, 4, 23, 3}, .width = 64, .classes = 100});
}

Placement placement(const Layout& layout, int workers, std::int64_t round) {
  return {.assignment = deal({{3, 22}}, workers, {}, 1, round),
          .arena = ArenaLayout(layout, {blocks_per_worker(22, workers, {})})};
}

std::int64_t sum(const std::vector<std::int64_t>& bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0});
}

// PreActResNet101, S = 4: 92.5 MB of shared parameters each way for each worker.
TEST(SyncPlan, SharedParametersTakeTheRingsBytes) {
  const Layout layout = paper_layout();
  const Placement everyone{.assignment = assign_all({{3, 22}}, 4), .arena = ArenaLayout(layout, {22})};
  const SyncPlan plan = make_sync_plan(layout, sources_of(everyone.assignment), everyone.assignment);
  const Traffic traffic = plan_traffic(plan.exchange)[0];
  EXPECT_EQ(sum(traffic.sent), 2 * 3 * layout.total_size() / 4 * 4);
}

TEST(SyncPlan, TheLastSectionCanBeLeftApart) {
  const Layout layout = paper_layout();
  const Placement now = placement(layout, 4, 0);
  const auto shared_in = [&](const SyncRule& rule) {
    const SyncPlan plan = make_sync_plan(layout, sources_of(now.assignment), now.assignment, rule);
    std::int64_t size = 0;
    for (std::size_t i = 0; i < plan.origins.size(); ++i) {
      size += plan.origins[i].group == 0 ? plan.exchange.segments[i].size : 0;
    }
    return size;
  };
  std::int64_t last = 0;
  for (const Parameter& parameter : layout.shared) {
    last += parameter.name.starts_with("layer4.") ? parameter.size : 0;
  }
  EXPECT_GT(last, layout.shared_size / 2);
  for (const WireFormat format : {WireFormat::float32, WireFormat::int8}) {
    EXPECT_EQ(shared_in({.shared = format}), layout.shared_size);
    EXPECT_EQ(shared_in({.shared = format, .last_section = false}), layout.shared_size - last);
  }
  for (const auto& [begin, end] : layout.last_section) {
    for (const Parameter& parameter : layout.shared) {
      const bool within = parameter.offset >= begin && parameter.offset < end;
      EXPECT_TRUE(!within || parameter.name.starts_with("layer4.")) << parameter.name;
    }
  }
}

TEST(SyncPlan, AMeanCountsBySamplesWhereTheyDiffer) {
  const Layout layout = paper_layout();
  const Placement now = placement(layout, 3, 0);
  Sources sources = sources_of(now.assignment);
  sources.blocks[0] = {0, 1};
  sources.blocks[1] = {2};
  const auto weights = [&](const std::vector<std::int64_t>& samples, int segment = 0) {
    sources.samples = samples;
    return make_sync_plan(layout, sources, now.assignment).exchange.segments[segment].weights;
  };
  EXPECT_TRUE(weights({}).empty());
  EXPECT_TRUE(weights({24, 24, 24}).empty());
  EXPECT_TRUE(weights({24, 0, 24}).empty()) << "who has not trained and still counts has what all had";
  EXPECT_EQ(weights({24, 16, 8}), (std::vector<float>{24, 16, 8}));
  EXPECT_EQ(weights({24, 16, 8}, 1), (std::vector<float>{24, 16}));
  EXPECT_TRUE(weights({24, 24, 8}, 1).empty());
  EXPECT_TRUE(weights({24, 16, 8}, 2).empty());
}

TEST(SyncPlan, ABlockThatStaysWithItsOnlyHolderIsNotSent) {
  const Layout layout = paper_layout();
  const DealingRule exact{.mode = PartitionMode::exact};
  const Placement same{.assignment = deal({{3, 22}}, 4, exact, 1, 0), .arena = ArenaLayout(layout, {6})};
  const SyncPlan plan = make_sync_plan(layout, sources_of(same.assignment), same.assignment);
  std::int64_t sent = 0;
  for (int worker = 0; worker < 4; ++worker) {
    sent += sum(plan_traffic(plan.exchange)[worker].sent);
  }
  EXPECT_EQ(sent, 2 * 3 * layout.shared_size * 4);
}

TEST(SyncPlan, WhatOneSendsTheOtherReceives) {
  const Layout layout = paper_layout();
  for (const int workers : {1, 2, 3, 4, 8, 16}) {
    const Placement now = placement(layout, workers, 3);
    const Placement next = placement(layout, workers, 4);
    const SyncPlan plan = make_sync_plan(layout, sources_of(now.assignment), next.assignment, {.copies = true});
    std::vector<Traffic> traffic;
    traffic.reserve(static_cast<std::size_t>(workers));
    for (int worker = 0; worker < workers; ++worker) {
      traffic.push_back(plan_traffic(plan.exchange)[worker]);
    }
    for (int from = 0; from < workers; ++from) {
      EXPECT_EQ(traffic[from].sent[from], 0);
      for (int to = 0; to < workers; ++to) {
        EXPECT_EQ(traffic[from].sent[to], traffic[to].received[from]);
      }
    }
  }
}

TEST(SyncPlan, WhoeverIsLostEveryBlockIsStillThere) {
  const Layout layout = paper_layout();
  for (const int workers : {2, 3, 4, 8, 16}) {
    for (int round = 0; round < 50; ++round) {
      const Assignment now = placement(layout, workers, round).assignment;
      const Assignment next = placement(layout, workers, round + 1).assignment;
      const auto keepers = choose_keepers(sources_of(now).blocks, sources_of(next).blocks, workers);
      for (int block = 0; block < 22; ++block) {
        const auto& holders = next.holders(block);
        ASSERT_EQ(keepers[block]<0, holders.size()> 1);
        ASSERT_EQ(std::ranges::count(holders, keepers[block]), 0);
      }
    }
  }
}

// Who sends a block keeps it: only blocks that stay, and ones that several held, take bytes for their copies.
TEST(SyncPlan, CopiesCostAFewPercent) {
  const Layout layout = paper_layout();
  std::int64_t plain = 0;
  std::int64_t protected_ones = 0;
  for (int round = 0; round < 20; ++round) {
    const Sources now = sources_of(placement(layout, 4, round).assignment);
    const Assignment next = placement(layout, 4, round + 1).assignment;
    for (int worker = 0; worker < 4; ++worker) {
      plain += sum(plan_traffic(make_sync_plan(layout, now, next).exchange)[worker].sent);
      protected_ones += sum(plan_traffic(make_sync_plan(layout, now, next, {.copies = true}).exchange)[worker].sent);
    }
  }
  EXPECT_GT(protected_ones, plain);
  EXPECT_LT(static_cast<double>(protected_ones), 1.08 * static_cast<double>(plain));
}

TEST(SyncPlan, CopiesOfBlocksThatStayAreSpreadOverTheOthers) {
  const Assignment same({{0, 1, 2, 3, 4, 5}, {6}, {7}, {8}}, 9);
  const auto keepers = choose_keepers(sources_of(same).blocks, sources_of(same).blocks, 4);
  EXPECT_EQ(keepers, (std::vector<int>{1, 2, 3, 1, 2, 3, 2, 3, 0}));
}

TEST(SyncPlan, WhoJoinsGetsTheSharedParametersAPartFromEach) {
  const Layout layout = paper_layout();
  const Assignment next(std::vector<std::vector<int>>(4), 0);
  const Sources now{.shared = {0, 1, 2}, .blocks = {}, .shared_agreed = true};
  const Traffic joiner = plan_traffic(make_sync_plan(layout, now, next).exchange)[3];
  EXPECT_EQ(sum(joiner.received), layout.shared_size * 4);
  EXPECT_LE(joiner.received[0], layout.shared_size / 3 * 4 + 4);
  EXPECT_EQ(sum(plan_traffic(make_sync_plan(layout, now, next).exchange)[0].received), 0);
}

TEST(SyncPlan, AloneNobodyKeepsCopies) {
  const Assignment same = assign_all({{3, 5}}, 1);
  EXPECT_EQ(choose_keepers(sources_of(same).blocks, sources_of(same).blocks, 1), std::vector<int>(5, -1));
}

}  // namespace
}  // namespace resist
