#include "resist/sync/synchronise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "support/workers.h"

namespace resist {
namespace {

// What worker w holds for element i of a group (0: shared, 1 + b: block b) at the end of its local iterations.
float local_value(int worker, int group, std::int64_t i) {
  return std::sin(static_cast<float>(worker * 7919 + group * 104729 + i));
}

float expected_mean(const std::vector<int>& holders, int group, std::int64_t i) {
  float total = local_value(holders[0], group, i);
  for (std::size_t h = 1; h < holders.size(); ++h) {
    total += local_value(holders[h], group, i);
  }
  return total / static_cast<float>(holders.size());
}

void check_group(const float* staged, const std::vector<int>& holders, int group, std::int64_t size) {
  for (std::int64_t i = 0; i < size; ++i) {
    ASSERT_EQ(staged[i], expected_mean(holders, group, i)) << "group " << group << ", element " << i;
  }
}

// Fills each worker's arena, synchronises, and checks that every next holder has the mean over the holders.
void check_synchronisation(const Layout& layout, const Placement& now, const Placement& next) {
  const int workers = now.assignment.workers();
  const std::vector<int> all = everyone(workers);
  run_in_process(workers, [&](Communicator& communicator) {
    const int rank = communicator.rank();
    std::vector<float> live(static_cast<std::size_t>(now.arena.size()), NAN);
    std::vector<float> staged(static_cast<std::size_t>(next.arena.size()), NAN);
    for (std::int64_t i = 0; i < layout.shared_size; ++i) {
      live[i] = local_value(rank, 0, i);
    }
    const SyncPlan plan = make_sync_plan(layout, sources_of(now.assignment), next.assignment, {.copies = true});
    auto memory = group_memory(now, rank, live.data(), next, rank, staged.data());
    for (const int block : now.assignment.held(rank)) {
      float* values = live.data() + (memory[1 + block].source - live.data());
      for (std::int64_t i = 0; i < layout.blocks[block].size; ++i) {
        values[i] = local_value(rank, 1 + block, i);
      }
    }
    std::map<int, std::vector<float>> copies;
    for (int block = 0; block < now.assignment.blocks(); ++block) {
      if (plan.keepers[block] == rank) {
        copies[block].resize(static_cast<std::size_t>(layout.blocks[block].size));
        memory[1 + block].target = copies[block].data();
      }
    }
    const std::vector<float> before = live;
    synchronise(communicator, plan, memory, 1);
    check_group(staged.data(), all, 0, layout.shared_size);
    for (const int block : next.assignment.held(rank)) {
      check_group(memory[1 + block].target, now.assignment.holders(block), 1 + block, layout.blocks[block].size);
    }
    for (const auto& [block, copy] : copies) {
      check_group(copy.data(), now.assignment.holders(block), 1 + block, layout.blocks[block].size);
    }
    for (std::size_t i = 0; i < live.size(); ++i) {
      ASSERT_TRUE(live[i] == before[i] || (std::isnan(live[i]) && std::isnan(before[i])));
    }
  });
}

class Synchronise : public testing::TestWithParam<int> {};

TEST_P(Synchronise, WorksForEveryKindOfAssignment) {
  const int workers = GetParam();
  const Layout layout = make_layout({.depths = {1, 4, 17, 1}, .width = 2, .partition_sections = {2, 3}});
  const std::vector<DeckSize> decks = {{2, 3}, {3, 16}};
  const auto dealt = [&](const DealingRule& rule, std::int64_t round) {
    return Placement{
        .assignment = deal(decks, workers, rule, 9, round),
        .arena = ArenaLayout(layout, {blocks_per_worker(3, workers, rule), blocks_per_worker(16, workers, rule)})};
  };
  const Placement all{.assignment = assign_all(decks, workers), .arena = ArenaLayout(layout, {3, 16})};
  const DealingRule deep{.min_blocks = 3};
  check_synchronisation(layout, dealt({}, 0), dealt({}, 1));
  check_synchronisation(layout, dealt(deep, 5), dealt(deep, 6));
  check_synchronisation(layout, all, dealt({}, 0));  // the end of warm-up
  check_synchronisation(layout, dealt({}, 3), all);
  check_synchronisation(layout, all, all);
  if (workers <= 3) {
    const DealingRule exact{.mode = PartitionMode::exact};
    check_synchronisation(layout, dealt(exact, 0), dealt(exact, 1));
    check_synchronisation(layout, dealt(exact, 1), dealt(exact, 2));
  }
}

INSTANTIATE_TEST_SUITE_P(Workers, Synchronise, testing::Range(1, 17));

std::vector<float> numbered(std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

TEST(CarryOver, KeepsSharedAndStayingBlocksAndZeroesArrivingOnes) {
  const Layout layout = make_layout({.depths = {1, 1, 5, 1}, .width = 2});
  const ArenaLayout arena(layout, {2});
  const Placement now{.assignment = Assignment({{0, 2}, {1, 3}}, 4), .arena = arena};
  const Placement next{.assignment = Assignment({{2, 3}, {0, 1}}, 4), .arena = arena};
  const std::vector<float> live = numbered(arena.size());
  std::vector<float> carried(live.size(), NAN);
  carry_over(layout, group_memory(now, 0, live.data(), next, 0, carried.data()));
  const std::int64_t slot = layout.decks[0].slot_size;
  EXPECT_EQ(carried[0], 1.0F);
  EXPECT_EQ(carried[layout.shared_size - 1], static_cast<float>(layout.shared_size));
  EXPECT_EQ(carried[layout.shared_size], live[layout.shared_size + slot]);  // block 2 moves from slot 1 to slot 0
  EXPECT_EQ(carried[layout.shared_size + slot], 0.0F);                      // block 3 arrives
}

// Blocks go up and down in one dealing, over each other's places.
TEST(CarryOver, DoesTheSameInOneMemory) {
  const Layout layout = make_layout({.depths = {1, 7, 12, 1},
                                     .width = 1,
                                     .partition_sections = {2, 3},
                                     .partition_first_blocks = true});  // those are larger: not all fill their slots
  const std::vector<DeckSize> decks = {{2, 7}, {3, 12}};
  const DealingRule rule{.min_blocks = 4};
  const ArenaLayout arena(layout, {blocks_per_worker(7, 2, rule), blocks_per_worker(12, 2, rule)});
  for (std::int64_t round = 0; round < 50; ++round) {
    const Placement now{.assignment = deal(decks, 2, rule, 9, round), .arena = arena};
    const Placement next{.assignment = deal(decks, 2, rule, 9, round + 1), .arena = arena};
    std::vector<float> in_place = numbered(arena.size());
    std::vector<float> apart(in_place.size());
    carry_over(layout, group_memory(now, 0, in_place.data(), next, 1, apart.data()));
    carry_over(layout, group_memory(now, 0, in_place.data(), next, 1, in_place.data()));
    const auto places = arena.block_offsets(next.assignment.held(1));
    EXPECT_TRUE(std::equal(apart.begin(), apart.begin() + layout.shared_size, in_place.begin()));
    for (std::size_t i = 0; i < places.size(); ++i) {
      const auto end = places[i] + layout.blocks[next.assignment.held(1)[i]].size;
      EXPECT_TRUE(std::equal(apart.begin() + places[i], apart.begin() + end, in_place.begin() + places[i]))
          << "round " << round << ", block " << next.assignment.held(1)[i];
    }
  }
}

}  // namespace
}  // namespace resist
