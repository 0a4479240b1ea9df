#include "resist/data/stream.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "resist/core/error.h"

namespace resist {
namespace {

std::vector<std::int64_t> epoch(SampleStream& stream, std::int64_t number, std::int64_t size) {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < size; ++i) {
    indices.push_back(stream.at(number * size + i).index);
  }
  return indices;
}

TEST(SampleStream, HoldsEverySampleOnceAnEpochInAnotherOrder) {
  SampleStream stream(50, 1, 0);
  const auto first = epoch(stream, 0, 50);
  const auto second = epoch(stream, 1, 50);
  EXPECT_EQ(std::set<std::int64_t>(first.begin(), first.end()).size(), 50U);
  EXPECT_EQ(std::set<std::int64_t>(second.begin(), second.end()).size(), 50U);
  EXPECT_NE(first, second);
}

TEST(SampleStream, DependsOnSeedAndStream) {
  SampleStream stream(50, 1, 0);
  SampleStream other_seed(50, 2, 0);
  SampleStream other_stream(50, 1, 1);
  const auto order = epoch(stream, 0, 50);
  EXPECT_NE(order, epoch(other_seed, 0, 50));
  EXPECT_NE(order, epoch(other_stream, 0, 50));
}

TEST(SampleStream, IsAFunctionOfThePosition) {
  SampleStream forward(7, 1, 3);
  SampleStream backward(7, 1, 3);
  std::vector<std::int64_t> indices;
  for (std::int64_t position = 0; position < 30; ++position) {
    const SamplePlace place = forward.at(position);
    EXPECT_EQ(place.stream, 3U);
    EXPECT_EQ(place.epoch, position / 7);
    EXPECT_EQ(place.position, position % 7);
    indices.push_back(place.index);
  }
  for (std::int64_t position = 29; position >= 0; --position) {
    EXPECT_EQ(backward.at(position).index, indices[static_cast<std::size_t>(position)]);
  }
}

TEST(SampleStream, RefusesAnEmptyDataSetAndNegativePositions) {
  EXPECT_THROW(SampleStream(0, 1, 0), InputError);
  SampleStream stream(7, 1, 0);
  EXPECT_THROW(stream.at(-1), Error);
}

// 3 workers with batches of 4 go through 10 samples: batches straddle epochs, also within one worker's batch.
TEST(BatchSchedule, ShardedWorkersTogetherSeeEverySampleOnceAnEpoch) {
  constexpr int kWorkers = 3;
  constexpr int kBatch = 4;
  constexpr int kSamples = 10;
  constexpr int kIterations = 5;  // 60 samples: 6 epochs
  std::map<std::pair<std::uint32_t, std::int64_t>, int> seen;
  for (int worker = 0; worker < kWorkers; ++worker) {
    const BatchSchedule schedule{DataMode::sharded, worker, kWorkers, kBatch};
    SampleStream stream(kSamples, 1, schedule.stream());
    for (std::int64_t iteration = 0; iteration < kIterations; ++iteration) {
      for (std::int64_t i = 0; i < kBatch; ++i) {
        const SamplePlace place = stream.at(schedule.first({}, iteration) + i);
        ++seen[{place.epoch, place.index}];
      }
    }
  }
  ASSERT_EQ(seen.size(), 60U);
  for (const auto& [place, count] : seen) {
    EXPECT_EQ(count, 1);
  }
}

// Jobs that lose workers now and then: whatever comes back is served once, and nothing else twice.
TEST(BatchSchedule, LostBatchesAreServedAgainAndFirst) {
  constexpr int kBatch = 4;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed);  // NOLINT: a fixed seed is the point
    Unserved unserved{.next = 40, .returned = {}};
    std::set<std::int64_t> served;
    int workers = 8;
    while (workers > 0) {
      const auto iterations = static_cast<std::int64_t>(random() % 6);
      const int lost = static_cast<int>(random() % 3 == 0 ? random() % workers : workers);  // nobody: the last case
      std::vector<std::int64_t> kept(static_cast<std::size_t>(workers), iterations);
      if (lost < workers) {
        kept[static_cast<std::size_t>(lost)] = iterations == 0 ? 0 : static_cast<std::int64_t>(random() % iterations);
      }
      std::set<std::int64_t> taken;
      for (int worker = 0; worker < workers; ++worker) {
        const BatchSchedule schedule{DataMode::sharded, worker, workers, kBatch};
        for (std::int64_t iteration = 0; iteration < iterations; ++iteration) {
          const std::int64_t position = schedule.first(unserved, iteration);
          EXPECT_TRUE(taken.insert(position).second);
          EXPECT_FALSE(served.contains(position));
          if (iteration < kept[static_cast<std::size_t>(worker)]) {
            served.insert(position);
          }
        }
      }
      // What had come back was taken before anything new.
      for (std::size_t place = 0; place < unserved.returned.size(); ++place) {
        EXPECT_EQ(taken.contains(unserved.returned[place]), place < taken.size());
      }
      unserved = BatchSchedule{DataMode::sharded, 0, workers, kBatch}.after(unserved, iterations, kept);
      workers -= lost < workers ? 1 : static_cast<int>(random() % 10 == 0);
    }
    std::set<std::int64_t> all = served;
    all.insert(unserved.returned.begin(), unserved.returned.end());
    EXPECT_EQ(all.size(), served.size() + unserved.returned.size());
    EXPECT_EQ(static_cast<std::int64_t>(all.size()), (unserved.next - 40) / kBatch) << "seed " << seed;
  }
}

TEST(BatchSchedule, ReplicatedWorkersHaveStreamsOfTheirOwn) {
  const BatchSchedule schedule{DataMode::replicated, 2, 4, 8};
  EXPECT_EQ(schedule.stream(), 2U);
  EXPECT_EQ(schedule.first({.next = 16}, 0), 16);
  EXPECT_EQ(schedule.first({.next = 16}, 2), 32);
  EXPECT_EQ(schedule.after({.next = 16}, 5, {}).next, 56);
}

}  // namespace
}  // namespace resist
