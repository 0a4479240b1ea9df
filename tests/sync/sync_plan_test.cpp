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
  const SyncPlan plan = make_sync_plan(layout, everyone, everyone, 0);
  const Traffic traffic = plan_traffic(plan.exchange, 0);
  EXPECT_EQ(sum(traffic.sent), 2 * 3 * layout.total_size() / 4 * 4);
}

TEST(SyncPlan, ABlockThatStaysWithItsOnlyHolderIsNotSent) {
  const Layout layout = paper_layout();
  const DealingRule exact{.mode = PartitionMode::exact};
  const Placement same{.assignment = deal({{3, 22}}, 4, exact, 1, 0), .arena = ArenaLayout(layout, {6})};
  std::int64_t sent = 0;
  for (int worker = 0; worker < 4; ++worker) {
    sent += sum(plan_traffic(make_sync_plan(layout, same, same, worker).exchange, worker).sent);
  }
  EXPECT_EQ(sent, 2 * 3 * layout.shared_size * 4);
}

TEST(SyncPlan, WhatOneSendsTheOtherReceives) {
  const Layout layout = paper_layout();
  for (const int workers : {1, 2, 3, 4, 8, 16}) {
    const Placement now = placement(layout, workers, 3);
    const Placement next = placement(layout, workers, 4);
    std::vector<Traffic> traffic;
    traffic.reserve(static_cast<std::size_t>(workers));
    for (int worker = 0; worker < workers; ++worker) {
      traffic.push_back(plan_traffic(make_sync_plan(layout, now, next, worker).exchange, worker));
    }
    for (int from = 0; from < workers; ++from) {
      EXPECT_EQ(traffic[from].sent[from], 0);
      for (int to = 0; to < workers; ++to) {
        EXPECT_EQ(traffic[from].sent[to], traffic[to].received[from]);
      }
    }
  }
}

TEST(SyncPlan, PlacesEveryHeldAndWantedBlockOnce) {
  const Layout layout = paper_layout();
  const Placement now = placement(layout, 4, 0);
  const Placement next = placement(layout, 4, 1);
  for (int worker = 0; worker < 4; ++worker) {
    const SyncPlan plan = make_sync_plan(layout, now, next, worker);
    for (int block = 0; block < 22; ++block) {
      const SyncPlan::Place& place = plan.places[1 + block];
      EXPECT_EQ(place.source >= layout.shared_size, std::ranges::count(now.assignment.held(worker), block) == 1);
      EXPECT_EQ(place.target >= layout.shared_size, std::ranges::count(next.assignment.held(worker), block) == 1);
    }
  }
}

}  // namespace
}  // namespace resist
