#include "resist/data/loader.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

#include "counting_dataset.h"
#include "resist/core/error.h"

namespace resist {
namespace {

constexpr Augmentation kAugmentation{.crop_padding = 1, .flip = true};

struct LoaderSetup {
  BatchSchedule schedule{DataMode::replicated, 0, 1, 4};
  std::uint64_t seed = 1;
  std::int64_t position = 0;
  std::int64_t samples = 10;
  std::int64_t broken = -1;

  std::unique_ptr<TrainLoader> make() const {
    return std::make_unique<TrainLoader>(std::make_shared<CountingDataset>(samples, broken), plain_info(1, 3, 4),
                                         kAugmentation, schedule, seed, position);
  }
};

std::vector<Batch> take(TrainLoader& loader, int count, std::chrono::milliseconds pause = {}) {
  std::vector<Batch> batches;
  for (int i = 0; i < count; ++i) {
    std::this_thread::sleep_for(pause);
    batches.push_back(loader.next());
  }
  return batches;
}

void expect_same(const std::vector<Batch>& a, const std::vector<Batch>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].labels, b[i].labels) << "batch " << i;
    EXPECT_EQ(a[i].pixels, b[i].pixels) << "batch " << i;
  }
}

TEST(TrainLoader, BatchesAreTheStreamsSamplesAugmentedByTheirPlace) {
  const auto loader = LoaderSetup{.seed = 5}.make();
  SampleStream stream(10, 5, 0);
  const CountingDataset dataset(10);
  const PixelTransform transform(plain_info(1, 3, 4));
  for (std::int64_t batch = 0; batch < 6; ++batch) {  // past an epoch's end
    const Batch& got = loader->next();
    ASSERT_EQ(got.size(), 4);
    ASSERT_EQ(got.pixels.size(), 4U * 12);
    for (std::int64_t i = 0; i < 4; ++i) {
      const SamplePlace place = stream.at(batch * 4 + i);
      std::vector<std::uint8_t> pixels(12);
      std::vector<float> expected(12);
      dataset.read(place.index, pixels);
      transform.augment(
          pixels, kAugmentation,
          RandomStream(5, RandomPurpose::augmentation, {.stream = 0, .epoch = place.epoch, .position = place.position}),
          expected);
      EXPECT_EQ(got.labels[static_cast<std::size_t>(i)], place.index);
      EXPECT_EQ(std::vector<float>(got.pixels.begin() + i * 12, got.pixels.begin() + (i + 1) * 12), expected);
    }
  }
}

TEST(TrainLoader, TimingDoesNotChangeBatches) {
  const auto fast = LoaderSetup{}.make();
  const auto slow = LoaderSetup{}.make();
  expect_same(take(*fast, 12), take(*slow, 12, std::chrono::milliseconds(2)));
}

TEST(TrainLoader, StartingAtAPositionEqualsRunningUpToIt) {
  for (const DataMode mode : {DataMode::replicated, DataMode::sharded}) {
    LoaderSetup setup{.schedule = {mode, 1, 3, 4}};
    const auto whole = setup.make();
    take(*whole, 5);
    setup.position = 5 * setup.schedule.stride();
    const auto resumed = setup.make();
    expect_same(take(*whole, 4), take(*resumed, 4));
  }
}

TEST(TrainLoader, ReplicatedWorkersSeeDifferentBatches) {
  const auto first = LoaderSetup{.schedule = {DataMode::replicated, 0, 2, 4}, .samples = 100}.make();
  const auto second = LoaderSetup{.schedule = {DataMode::replicated, 1, 2, 4}, .samples = 100}.make();
  EXPECT_NE(first->next().labels, second->next().labels);
}

TEST(TrainLoader, ShardedWorkersTogetherSeeEverySampleOnceAnEpoch) {
  std::multiset<std::int64_t> seen;
  for (int worker = 0; worker < 3; ++worker) {
    const auto loader = LoaderSetup{.schedule = {DataMode::sharded, worker, 3, 4}}.make();
    for (const Batch& batch : take(*loader, 5)) {
      seen.insert(batch.labels.begin(), batch.labels.end());
    }
  }
  for (std::int64_t sample = 0; sample < 10; ++sample) {
    EXPECT_EQ(seen.count(sample), 6U);  // 60 of 10
  }
}

TEST(TrainLoader, ErrorsShowAtTheBatchTheyBelongToAndStay) {
  SampleStream stream(10, 1, 0);
  const auto loader = LoaderSetup{.broken = stream.at(9).index}.make();
  EXPECT_EQ(take(*loader, 2, std::chrono::milliseconds(5)).size(), 2U);
  EXPECT_THROW(loader->next(), std::runtime_error);
  EXPECT_THROW(loader->next(), std::runtime_error);
}

TEST(TrainLoader, CanBeDestroyedAtAnyTime) {
  for (int taken = 0; taken < 30; ++taken) {
    const auto loader = LoaderSetup{.samples = 1000}.make();
    take(*loader, taken % 7);
  }
  LoaderSetup{.broken = 3}.make();
}

TEST(TrainLoader, RefusesImpossibleSchedules) {
  EXPECT_THROW((LoaderSetup{.schedule = {DataMode::sharded, 0, 1, 0}}.make()), Error);
  EXPECT_THROW((LoaderSetup{.schedule = {DataMode::sharded, 2, 2, 1}}.make()), Error);
  EXPECT_THROW((LoaderSetup{.position = -1}.make()), Error);
  EXPECT_THROW((LoaderSetup{.samples = 0}.make()), InputError);
}

}  // namespace
}  // namespace resist
