#include "resist/data/augment.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "counting_dataset.h"
#include "expect_input_error.h"

namespace resist {
namespace {

constexpr int kHeight = 4;
constexpr int kWidth = 5;

std::vector<std::uint8_t> numbered_pixels(int channels) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(channels) * kHeight * kWidth);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{1});
  return pixels;
}

// The definition, written the slow way: pad, crop at (top, left), mirror. Values are pixels (plain_info).
std::vector<float> oracle(const std::vector<std::uint8_t>& pixels, int channels, int padding, int top, int left,
                          bool mirrored) {
  std::vector<float> out;
  for (int c = 0; c < channels; ++c) {
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        const int from_y = y + top - padding;
        const int from_x = (mirrored ? kWidth - 1 - x : x) + left - padding;
        const bool inside = from_y >= 0 && from_y < kHeight && from_x >= 0 && from_x < kWidth;
        const int from = (c * kHeight + from_y) * kWidth + from_x;
        out.push_back(inside ? pixels.at(static_cast<std::size_t>(from)) : 0.0F);
      }
    }
  }
  return out;
}

std::vector<float> rounded(std::vector<float> values) {
  for (float& value : values) {
    value = std::round(value);
  }
  return values;
}

TEST(PixelTransform, NormalisesEachChannel) {
  DatasetInfo info = plain_info(2, 1, 2);
  info.mean = {0.5F, 0.25F};
  info.stddev = {0.5F, 0.125F};
  std::vector<float> out(4);
  PixelTransform(info).normalise(std::vector<std::uint8_t>{0, 255, 51, 102}, out);
  EXPECT_EQ(out, (std::vector<float>{-1.0F, 1.0F, (51 / 255.0F - 0.25F) / 0.125F, (102 / 255.0F - 0.25F) / 0.125F}));
}

TEST(PixelTransform, EveryCropAndFlipIsReachedAboutEquallyAndIsRight) {
  constexpr int kPadding = 2;
  const auto pixels = numbered_pixels(3);
  const PixelTransform transform(plain_info(3, kHeight, kWidth));
  std::map<std::vector<float>, int> expected;
  for (int top = 0; top <= 2 * kPadding; ++top) {
    for (int left = 0; left <= 2 * kPadding; ++left) {
      for (const bool mirrored : {false, true}) {
        expected[oracle(pixels, 3, kPadding, top, left, mirrored)] = 0;
      }
    }
  }
  ASSERT_EQ(expected.size(), 50U);
  std::vector<float> out(pixels.size());
  for (std::uint32_t position = 0; position < 5000; ++position) {
    const RandomStream random(1, RandomPurpose::augmentation, {.position = position});
    transform.augment(pixels, {.crop_padding = kPadding, .flip = true}, random, out);
    const auto found = expected.find(rounded(out));
    ASSERT_NE(found, expected.end());
    ++found->second;
  }
  for (const auto& [picture, count] : expected) {
    EXPECT_NEAR(count, 100, 50);  // five standard deviations
  }
}

TEST(PixelTransform, PaddingIsBlackBeforeNormalisation) {
  DatasetInfo info = plain_info(1, 1, 2);
  info.mean = {0.5F};
  info.stddev = {0.25F};
  const PixelTransform transform(info);
  const std::vector<std::uint8_t> white = {255, 255};
  std::vector<float> out(2);
  for (std::uint32_t position = 0; position < 20; ++position) {
    transform.augment(white, {.crop_padding = 1, .flip = false},
                      RandomStream(1, RandomPurpose::augmentation, {.position = position}), out);
    for (const float value : out) {
      EXPECT_TRUE(value == 2.0F || value == -2.0F) << value;
    }
  }
}

TEST(PixelTransform, WithoutAugmentationIsNormalise) {
  const auto pixels = numbered_pixels(1);
  const PixelTransform transform(plain_info(1, kHeight, kWidth));
  std::vector<float> augmented(pixels.size());
  std::vector<float> plain(pixels.size());
  transform.augment(pixels, {}, RandomStream(1, RandomPurpose::augmentation, {}), augmented);
  transform.normalise(pixels, plain);
  EXPECT_EQ(augmented, plain);
  EXPECT_EQ(rounded(plain), std::vector<float>(pixels.begin(), pixels.end()));
}

TEST(PixelTransform, RefusesBuffersOfAnotherSize) {
  const PixelTransform transform(plain_info(1, kHeight, kWidth));
  std::vector<float> out(19);
  EXPECT_THROW(transform.normalise(numbered_pixels(1), out), Error);
}

TEST(MakeAugmentation, TakesWhatIsUsualUnlessTheOptionsSayOtherwise) {
  DatasetInfo info = plain_info(1, 8, 6);
  info.crop_padding = 2;
  info.flip = true;
  EXPECT_EQ(make_augmentation({}, info).crop_padding, 2);
  EXPECT_TRUE(make_augmentation({}, info).flip);
  DataOptions options;
  options.crop_padding = 0;
  options.flip = false;
  EXPECT_EQ(make_augmentation(options, info).crop_padding, 0);
  EXPECT_FALSE(make_augmentation(options, info).flip);
}

TEST(MakeAugmentation, PicturesWithSizesOfTheirOwnAreCutAtRandom) {
  DatasetInfo info = plain_info(3, 8, 8);
  info.own_sizes = true;
  EXPECT_EQ(make_augmentation({}, info).crop_area, 0.08);
  DataOptions options;
  options.crop_area = 0.25;
  EXPECT_EQ(make_augmentation(options, info).crop_area, 0.25);
  options.crop_area = 0;
  EXPECT_EQ(make_augmentation(options, info).crop_area, 0);
}

TEST(MakeAugmentation, AGivenCropReplacesTheUsualOne) {
  DatasetInfo info = plain_info(3, 8, 8);
  info.crop_padding = 1;
  DataOptions options;
  options.crop_area = 0.5;
  EXPECT_EQ(make_augmentation(options, info).crop_area, 0.5);
  EXPECT_EQ(make_augmentation(options, info).crop_padding, 0);
  options.crop_area = 0;
  EXPECT_EQ(make_augmentation(options, info).crop_padding, 1);
  info.crop_padding = 0;
  info.own_sizes = true;
  options = {};
  options.crop_padding = 2;
  EXPECT_EQ(make_augmentation(options, info).crop_area, 0);
  EXPECT_EQ(make_augmentation(options, info).crop_padding, 2);
}

TEST(MakeAugmentation, RefusesBothCropsAndImpossibleAreas) {
  const DatasetInfo info = plain_info(3, 8, 8);
  DataOptions options;
  options.crop_area = 0.5;
  options.crop_padding = 2;
  expect_input_error([&] { make_augmentation(options, info); },
                     {"--crop-padding is 2", "--crop-area is 0.5", "exclude each other"});
  options.crop_padding = 0;
  EXPECT_EQ(make_augmentation(options, info).crop_area, 0.5);
  for (const double area : {-0.1, 1.5, std::nan("")}) {
    options.crop_area = area;
    expect_input_error([&] { make_augmentation(options, info); }, {"--crop-area is", "0 to 1"});
  }
}

TEST(TrainingFraming, IsWhatEvaluationSeesWithoutARandomBox) {
  const PictureSize picture{.height = 16, .width = 32};
  DatasetInfo info = plain_info(3, 8, 8);
  const RandomStream random(1, RandomPurpose::augmentation, {});
  EXPECT_THROW(training_framing({}, info, random).box(picture, info.input_size()), InputError);
  info.own_sizes = true;
  EXPECT_EQ(training_framing({}, info, random).box(picture, info.input_size()),
            Framing::centre().box(picture, info.input_size()));
}

// Boxes must not tell which pictures are mirrored, and must not depend on whether any are.
TEST(TrainingFraming, BoxesAndMirroringAreIndependent) {
  const PictureSize picture{.height = 100, .width = 100};
  DatasetInfo info = plain_info(1, 1, 2);
  info.own_sizes = true;
  const PixelTransform transform(info);
  const std::vector<std::uint8_t> pixels = {1, 2};
  std::vector<float> out(2);
  int right = 0;
  int mirrored = 0;
  int both = 0;
  constexpr int kPictures = 2000;
  for (std::uint32_t position = 0; position < kPictures; ++position) {
    const RandomStream random(1, RandomPurpose::augmentation, {.position = position});
    const Augmentation flipping{.crop_area = 0.08, .flip = true};
    const PictureBox box = training_framing(flipping, info, random).box(picture, info.input_size());
    EXPECT_EQ(box, training_framing({.crop_area = 0.08}, info, random).box(picture, info.input_size()));
    transform.augment(pixels, flipping, random, out);
    const bool is_right = box.left > 15;
    const bool is_mirrored = out[0] > 1.5F;
    right += is_right ? 1 : 0;
    mirrored += is_mirrored ? 1 : 0;
    both += is_right && is_mirrored ? 1 : 0;
  }
  EXPECT_NEAR(mirrored, kPictures / 2.0, 110);  // five standard deviations
  EXPECT_NEAR(both, right / 2.0, 80);
  EXPECT_GT(right, kPictures / 4);
  EXPECT_LT(right, kPictures * 3 / 4);
}

TEST(MakeAugmentation, PaddingMustBeSmallerThanThePicture) {
  const DatasetInfo info = plain_info(1, 8, 6);
  DataOptions options;
  options.crop_padding = 5;
  EXPECT_EQ(make_augmentation(options, info).crop_padding, 5);
  options.crop_padding = 6;
  expect_input_error([&] { make_augmentation(options, info); }, {"--crop-padding is 6", "0 to 5", "8x6"});
  options.crop_padding = -1;
  expect_input_error([&] { make_augmentation(options, info); }, {"--crop-padding is -1"});
}

}  // namespace
}  // namespace resist
