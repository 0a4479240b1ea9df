#include "resist/data/loader.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "counting_dataset.h"
#include "expect_input_error.h"
#include "read_sample.h"

namespace resist {
namespace {

constexpr Augmentation kAugmentation{.crop_padding = 1, .flip = true};

struct LoaderSetup {
  BatchSchedule schedule{DataMode::replicated, 0, 1, 4};
  std::uint64_t seed = 1;
  Unserved unserved = {};
  std::int64_t samples = 10;
  std::set<std::int64_t> broken = {};
  std::set<std::int64_t> damaged = {};
  int threads = 1;

  std::unique_ptr<TrainLoader> make() const {
    return std::make_unique<TrainLoader>(std::make_shared<CountingDataset>(samples, broken, damaged),
                                         plain_info(1, 3, 4), kAugmentation, schedule, seed, unserved, threads);
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
      read_sample(dataset, place.index, Framing::whole(), pixels);
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
    setup.unserved = setup.schedule.after({}, 5, std::vector<std::int64_t>(3, 5));
    const auto resumed = setup.make();
    expect_same(take(*whole, 4), take(*resumed, 4));
  }
}

TEST(TrainLoader, BatchesThatCameBackAreServedFirst) {
  const auto plain = LoaderSetup{.schedule = {DataMode::sharded, 0, 1, 4}}.make();
  std::map<std::int64_t, Batch> batches;
  for (const Batch& batch : take(*plain, 12)) {
    batches[batch.stream_position] = batch;
  }
  for (int worker = 0; worker < 2; ++worker) {
    const auto loader =
        LoaderSetup{.schedule = {DataMode::sharded, worker, 2, 4}, .unserved = {.next = 32, .returned = {12, 0, 4}}}
            .make();
    const std::vector<std::int64_t> order =
        worker == 0 ? std::vector<std::int64_t>{12, 4, 36} : std::vector<std::int64_t>{0, 32, 40};
    for (const std::int64_t position : order) {
      const Batch& batch = loader->next();
      EXPECT_EQ(batch.stream_position, position);
      EXPECT_EQ(batch.labels, batches.at(position).labels);
      EXPECT_EQ(batch.pixels, batches.at(position).pixels);
    }
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
  const auto loader = LoaderSetup{.broken = {stream.at(9).index}}.make();
  EXPECT_EQ(take(*loader, 2, std::chrono::milliseconds(5)).size(), 2U);
  EXPECT_THROW(loader->next(), std::runtime_error);
  EXPECT_THROW(loader->next(), std::runtime_error);
}

TEST(TrainLoader, TheNumberOfThreadsDoesNotChangeBatches) {
  for (const std::set<std::int64_t>& damaged : {std::set<std::int64_t>{}, std::set<std::int64_t>{0, 4, 5}}) {
    const auto expected = take(*LoaderSetup{.damaged = damaged}.make(), 40);
    for (const int threads : {2, 5}) {
      const auto loader = LoaderSetup{.damaged = damaged, .threads = threads}.make();
      expect_same(take(*loader, 40), expected);
    }
  }
}

// A broken sample that takes longer than a later one.
TEST(TrainLoader, TheFirstSamplesErrorIsThrownHoweverLongItTakes) {
  class SlowToBreak : public CountingDataset {
   public:
    SlowToBreak(std::int64_t slow, std::int64_t later) : CountingDataset(10, {slow, later}), slow_(slow) {}
    std::span<const std::uint8_t> read(std::int64_t index, const Framing& framing,
                                       std::span<std::uint8_t> pixels) const override {
      std::this_thread::sleep_for(std::chrono::milliseconds(index == slow_ ? 50 : 0));
      return CountingDataset::read(index, framing, pixels);
    }

   private:
    std::int64_t slow_;
  };
  SampleStream stream(10, 1, 0);
  const std::int64_t slow = stream.at(6).index;  // in the second batch; the other is in the third
  TrainLoader loader(std::make_shared<SlowToBreak>(slow, stream.at(9).index), plain_info(1, 3, 4), kAugmentation,
                     {DataMode::replicated, 0, 1, 4}, 1, {}, 4);
  EXPECT_EQ(loader.next().size(), 4);
  for (int i = 0; i < 2; ++i) {
    try {
      loader.next();
      ADD_FAILURE() << "no error";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), "sample " + std::to_string(slow) + " is broken");
    }
  }
}

TEST(TrainLoader, ADamagedSampleIsReplacedByTheNextWithTheSameDraws) {
  SampleStream stream(10, 1, 0);
  const SamplePlace place = stream.at(2);
  const std::int64_t replacement = (place.index + 2) % 10;
  const auto loader = LoaderSetup{.damaged = {place.index, (place.index + 1) % 10}}.make();
  const Batch& got = loader->next();
  std::vector<std::uint8_t> pixels(12);
  std::vector<float> expected(12);
  read_sample(CountingDataset(10), replacement, Framing::whole(), pixels);
  PixelTransform(plain_info(1, 3, 4))
      .augment(pixels, kAugmentation,
               RandomStream(1, RandomPurpose::augmentation, {.epoch = place.epoch, .position = place.position}),
               expected);
  EXPECT_EQ(got.labels.at(2), replacement);
  EXPECT_EQ(std::vector<float>(got.pixels.begin() + 24, got.pixels.begin() + 36), expected);
}

TEST(TrainLoader, AllDamagedIsAnError) {
  const auto loader = LoaderSetup{.samples = 3, .damaged = {0, 1, 2}, .threads = 2}.make();
  expect_input_error([&] { loader->next(); }, {"all 3 training pictures of counting"});
}

TEST(TrainLoader, CanBeDestroyedAtAnyTime) {
  for (int taken = 0; taken < 30; ++taken) {
    const auto loader = LoaderSetup{.samples = 1000, .threads = 1 + taken % 3}.make();
    take(*loader, taken % 7);
  }
  LoaderSetup{.broken = {3}}.make();
  LoaderSetup{.broken = {3}, .threads = 4}.make();
}

TEST(TrainLoader, RefusesImpossibleSchedules) {
  EXPECT_THROW((LoaderSetup{.schedule = {DataMode::sharded, 0, 1, 0}}.make()), Error);
  EXPECT_THROW((LoaderSetup{.schedule = {DataMode::sharded, 2, 2, 1}}.make()), Error);
  EXPECT_THROW((LoaderSetup{.unserved = {.next = -1}}.make()), Error);
  EXPECT_THROW((LoaderSetup{.threads = 0}.make()), Error);
  EXPECT_THROW((LoaderSetup{.samples = 0}.make()), InputError);
}

}  // namespace
}  // namespace resist
