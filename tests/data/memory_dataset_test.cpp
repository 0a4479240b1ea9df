#include "resist/data/memory_dataset.h"

#include <gtest/gtest.h>

#include <numeric>

#include "read_sample.h"
#include "resist/core/error.h"
#include "resist/data/resample.h"

namespace resist {
namespace {

std::vector<std::uint8_t> counted(std::size_t values) {
  std::vector<std::uint8_t> pixels(values);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  return pixels;
}

TEST(MemoryDataset, GivesWholePicturesAndResampledParts) {
  const MemoryDataset dataset(counted(96), {4, 5}, {.height = 6, .width = 4}, 2);
  std::vector<std::uint8_t> pixels(48);
  EXPECT_EQ(dataset.size(), 2);
  EXPECT_EQ(dataset.label(1), 5);
  EXPECT_TRUE(read_sample(dataset, 1, Framing::whole(), pixels));
  EXPECT_EQ(pixels.front(), 48);
  EXPECT_EQ(pixels.back(), 95);

  const Framing framing = Framing::random(0.1, RandomStream(1, RandomPurpose::augmentation, {}));
  const std::vector<std::uint8_t> whole = pixels;
  std::vector<std::uint8_t> expected(48);
  EXPECT_NE(dataset.read(1, Framing::whole(), pixels).data(), pixels.data());
  frame_pixels(whole, {6, 4}, framing, {6, 4}, expected);
  EXPECT_TRUE(read_sample(dataset, 1, framing, pixels));
  EXPECT_EQ(pixels, expected);
  EXPECT_NE(pixels, whole);
}

TEST(MemoryDataset, RefusesWhatIsNotThere) {
  EXPECT_THROW(MemoryDataset(counted(95), {4, 5}, {.height = 6, .width = 4}, 2), Error);
  const MemoryDataset dataset(counted(96), {4, 5}, {.height = 6, .width = 4}, 2);
  std::vector<std::uint8_t> pixels(48);
  EXPECT_THROW(read_sample(dataset, 2, Framing::whole(), pixels), Error);
  EXPECT_THROW(read_sample(dataset, -1, Framing::whole(), pixels), Error);
  pixels.resize(47);
  EXPECT_THROW(read_sample(dataset, 0, Framing::whole(), pixels), Error);
}

}  // namespace
}  // namespace resist
