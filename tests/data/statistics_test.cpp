#include "resist/data/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "counting_dataset.h"
#include "environment_variable.h"
#include "expect_input_error.h"
#include "resist/data/memory_dataset.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

// Two pictures of two channels of two pixels.
MemoryDataset two_pictures() {
  return MemoryDataset({0, 100, 7, 7, 200, 100, 7, 7}, {0, 1}, {.height = 1, .width = 2}, 2);
}

TEST(ChannelStatistics, AreMeanAndDeviationPerChannel) {
  const ChannelStatistics statistics = channel_statistics(two_pictures(), plain_info(2, 1, 2), 10);
  EXPECT_FLOAT_EQ(statistics.mean.at(0), 100.0F / 255);
  EXPECT_FLOAT_EQ(statistics.stddev.at(0), std::sqrt(5000.0F) / 255);
  EXPECT_FLOAT_EQ(statistics.mean.at(1), 7.0F / 255);
  EXPECT_EQ(statistics.stddev.at(1), 1.0F) << "a constant channel must not divide by zero";
}

TEST(ChannelStatistics, OfMoreSamplesThanAllowedUseEvenlySpacedOnes) {
  const ChannelStatistics statistics = channel_statistics(CountingDataset(100), plain_info(1, 1, 1), 4);
  EXPECT_FLOAT_EQ(statistics.mean.at(0), (0 + 25 + 50 + 75) / 4.0F / 255);
}

TEST(ChannelStatistics, LeaveOutDamagedSamples) {
  const ChannelStatistics statistics = channel_statistics(CountingDataset(4, {}, {0, 3}), plain_info(1, 1, 1), 4);
  EXPECT_FLOAT_EQ(statistics.mean.at(0), (1 + 2) / 2.0F / 255);
  expect_input_error(
      [] {
        channel_statistics(CountingDataset(2, {}, {0, 1}), plain_info(1, 1, 1), 4);
      },
      {"none of the pictures of counting"});
}

// Samples that are the box they were asked for.
TEST(ChannelStatistics, AreOfWhatEvaluationSees) {
  class Boxes : public CountingDataset {
   public:
    using CountingDataset::CountingDataset;
    std::span<const std::uint8_t> read(std::int64_t /*index*/, const Framing& framing,
                                       std::span<std::uint8_t> pixels) const override {
      pixels[0] = static_cast<std::uint8_t>(framing.box({.height = 80, .width = 80}, {.height = 1, .width = 1}).height);
      return pixels;
    }
  };
  DatasetInfo info = plain_info(1, 1, 1);
  info.own_sizes = true;
  EXPECT_FLOAT_EQ(channel_statistics(Boxes(1), info, 1).mean.at(0), 70.0F / 255);
}

class CachedStatisticsTest : public testing::Test {
 protected:
  ChannelStatistics get(const Dataset& dataset) const {
    return cached_channel_statistics("key", dataset, plain_info(2, 1, 2), 10);
  }

  TemporaryFolder folder_;
  EnvironmentVariable cache_{"XDG_CACHE_HOME", folder_.path().string()};
  std::filesystem::path file_ = folder_.path() / "resist" / "normalisation-key.json";
};

TEST_F(CachedStatisticsTest, AreComputedOnceWithTheSameBits) {
  const ChannelStatistics first = get(two_pictures());
  EXPECT_TRUE(std::filesystem::exists(file_));
  const ChannelStatistics second = get(CountingDataset(2, {0}));  // reading this one would throw
  EXPECT_EQ(first.mean, second.mean);
  EXPECT_EQ(first.stddev, second.stddev);
}

TEST_F(CachedStatisticsTest, ADamagedFileIsReplaced) {
  const ChannelStatistics good = get(two_pictures());
  for (const char* text : {"", "{\"mean\":[0.1", "{}", "{\"mean\":[0.1],\"stddev\":[0.1]}",
                           "{\"mean\":[0.1,0.1],\"stddev\":[0.0,0.1]}", "{\"mean\":\"x\",\"stddev\":3}"}) {
    std::ofstream(file_) << text;
    EXPECT_EQ(get(two_pictures()).stddev, good.stddev) << text;
  }
  std::ofstream(file_) << "{\"mean\":[0.5,0.25],\"stddev\":[0.125,0.5]}";
  EXPECT_EQ(get(two_pictures()).mean, (std::vector<float>{0.5F, 0.25F}));
}

TEST_F(CachedStatisticsTest, AnUnwritableCacheIsNoError) {
  std::ofstream(folder_.path() / "resist") << "a file where the folder should be";
  EXPECT_FLOAT_EQ(get(two_pictures()).mean.at(0), 100.0F / 255);
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(CachedStatisticsTest, LieBelowHomeWithoutACacheVariable) {
  const EnvironmentVariable cache("XDG_CACHE_HOME", "");
  const EnvironmentVariable home("HOME", folder_.path().string());
  get(two_pictures());
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / ".cache" / "resist" / "normalisation-key.json"));
}

}  // namespace
}  // namespace resist
