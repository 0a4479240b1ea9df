#include "resist/data/synthetic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "expect_input_error.h"
#include "read_sample.h"
#include "resist/data/resample.h"
#include "resist/data/statistics.h"

namespace resist {
namespace {

std::vector<std::uint8_t> picture(const Dataset& dataset, const DatasetInfo& info, std::int64_t index) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(info.channels * info.height * info.width));
  read_sample(dataset, index, Framing::whole(), pixels);
  return pixels;
}

TEST(Synthetic, HasTheAskedSizes) {
  const DataSource source = open_synthetic("synthetic:23,3,8,10,4", 1);
  EXPECT_EQ(source.train->size(), 23);
  EXPECT_EQ(source.test->size(), 4);
  EXPECT_EQ(source.info.channels, 3);
  EXPECT_EQ(source.info.height, 8);
  EXPECT_EQ(source.info.width, 10);
  EXPECT_EQ(source.info.classes, 4);
  EXPECT_EQ(source.info.crop_padding, 0);
  EXPECT_FALSE(source.info.flip);
  EXPECT_EQ(open_synthetic("synthetic:2,1,1,1,1", 1).test->size(), 1);
}

TEST(Synthetic, IsAFunctionOfTheSeed) {
  const DataSource source = open_synthetic("synthetic:20,1,6,6,2", 1);
  const DataSource same = open_synthetic("synthetic:20,1,6,6,2", 1);
  const DataSource other = open_synthetic("synthetic:20,1,6,6,2", 2);
  EXPECT_EQ(picture(*source.train, source.info, 3), picture(*same.train, source.info, 3));
  EXPECT_NE(picture(*source.train, source.info, 3), picture(*other.train, source.info, 3));
  EXPECT_NE(picture(*source.train, source.info, 3), picture(*source.test, source.info, 3));
  EXPECT_NE(picture(*source.train, source.info, 3), picture(*source.train, source.info, 5));
}

// Class means of the training pictures must tell the classes of the test pictures.
TEST(Synthetic, APartIsResampled) {
  const DataSource source = open_synthetic("synthetic:5,2,9,8,2", 1);
  const auto whole = picture(*source.train, source.info, 3);
  const Framing framing = Framing::random(0.1, RandomStream(1, RandomPurpose::augmentation, {}));
  std::vector<std::uint8_t> part(whole.size());
  std::vector<std::uint8_t> expected(whole.size());
  EXPECT_TRUE(read_sample(*source.train, 3, framing, part));
  frame_pixels(whole, source.info.input_size(), framing, source.info.input_size(), expected);
  EXPECT_EQ(part, expected);
  EXPECT_NE(part, whole);
}

TEST(Synthetic, IsLearnable) {
  const DataSource source = open_synthetic("synthetic:400,1,8,8,5", 3);
  std::vector<std::vector<double>> means(5, std::vector<double>(64));
  for (std::int64_t i = 0; i < source.train->size(); ++i) {
    const auto pixels = picture(*source.train, source.info, i);
    auto& mean = means[static_cast<std::size_t>(source.train->label(i))];
    std::transform(pixels.begin(), pixels.end(), mean.begin(), mean.begin(),
                   [](double pixel, double sum) { return sum + pixel / 80; });
  }
  int right = 0;
  for (std::int64_t i = 0; i < source.test->size(); ++i) {
    const auto pixels = picture(*source.test, source.info, i);
    std::vector<double> distances;
    for (const auto& mean : means) {
      double distance = 0;
      for (std::size_t p = 0; p < pixels.size(); ++p) {
        distance += std::pow(pixels[p] - mean[p], 2);
      }
      distances.push_back(distance);
    }
    right += std::min_element(distances.begin(), distances.end()) - distances.begin() == source.test->label(i) ? 1 : 0;
  }
  EXPECT_GE(right, 78);  // of 80; by chance 16
}

TEST(Synthetic, NormalisationIsThatOfManyClasses) {
  const DataSource source = open_synthetic("synthetic:1000,2,8,8,1000", 4);
  const ChannelStatistics statistics = channel_statistics(*source.train, source.info, 1000);
  EXPECT_NEAR(statistics.mean.at(1), source.info.mean.at(1), 0.005);
  EXPECT_NEAR(statistics.stddev.at(1), source.info.stddev.at(1), 0.005);
}

TEST(Synthetic, RefusesOtherForms) {
  for (const char* name :
       {"synthetic:", "synthetic:10", "synthetic:10,1,8,8", "synthetic:10,1,8,8,", "synthetic:10,1,8,8,2,",
        "synthetic:10,1,8,8,2x", "synthetic:a,1,8,8,2", "synthetic:10;1,8,8,2", "synthetic:-1,1,8,8,2",
        "synthetic:0,1,8,8,2", "synthetic:10,0,8,8,2", "synthetic:10,1,8,8,0", "synthetic:10,1,99999,8,2",
        "synthetic:99999999999999999999,1,8,8,2"}) {
    expect_input_error([&] { open_synthetic(name, 1); }, {name, "synthetic:N,C,H,W,CLASSES", "from 1 to"});
  }
  expect_input_error([] { open_synthetic("synthetic:10,1,99999,8,2", 1); }, {"H from 1 to 1024"});
}

}  // namespace
}  // namespace resist
