#include <gtest/gtest.h>

#include <cmath>

#include "expect_input_error.h"
#include "picture_files.h"
#include "resist/core/random.h"
#include "resist/data/jpeg.h"

namespace resist {
namespace {

constexpr int kHeight = 83;
constexpr int kWidth = 101;
constexpr PictureBox kWhole{0, 0, kHeight, kWidth};

// Smooth with noise: edges everywhere, but not so many that coding them is all that matters.
std::vector<std::uint8_t> pixels(int channels) {
  std::vector<std::uint8_t> values = smooth({channels, kHeight, kWidth});
  RandomStream random(1, RandomPurpose::synthetic_data, {});
  for (std::uint8_t& value : values) {
    value = static_cast<std::uint8_t>(value / 2 + random.below(100));
  }
  return values;
}

// The whole picture at `scale` eighths.
DecodedPart decode_whole(const std::string& file, int scale) {
  DecodedPart part = open_jpeg(file)->decode(kWhole, {.height = kHeight * scale / 8, .width = kWidth * scale / 8});
  EXPECT_EQ(part.height, (kHeight * scale + 7) / 8);
  EXPECT_EQ(part.width, (kWidth * scale + 7) / 8);
  return part;
}

// What the part's box touches has the whole picture's pixels, and lies where it should.
void expect_part_of(const DecodedPart& whole, const DecodedPart& part, const PictureBox& box, int scale) {
  const double top = box.top * scale / 8.0;
  const double left = box.left * scale / 8.0;
  EXPECT_EQ(part.box.height, box.height * scale / 8.0);
  EXPECT_EQ(part.box.width, box.width * scale / 8.0);
  const double row_shift = top - part.box.top;
  const double column_shift = left - part.box.left;
  ASSERT_EQ(row_shift, std::floor(row_shift));
  ASSERT_EQ(column_shift, std::floor(column_shift));
  ASSERT_GE(part.box.top, 0);
  ASSERT_GE(part.box.left, 0);
  ASSERT_LE(part.box.top + part.box.height, part.height);
  ASSERT_LE(part.box.left + part.box.width, part.width);
  int differences = 0;
  for (int y = static_cast<int>(part.box.top); y < part.box.top + part.box.height; ++y) {
    for (int x = static_cast<int>(part.box.left); x < part.box.left + part.box.width; ++x) {
      for (int channel = 0; channel < part.channels; ++channel) {
        const int whole_y = y + static_cast<int>(row_shift);
        const int whole_x = x + static_cast<int>(column_shift);
        const auto expected = whole.pixels[(whole_y * whole.width + whole_x) * whole.channels + channel];
        differences += part.pixels[(y * part.width + x) * part.channels + channel] == expected ? 0 : 1;
      }
    }
  }
  EXPECT_EQ(differences, 0) << "box " << box.top << ", " << box.left << ", " << box.height << ", " << box.width
                            << " at scale " << scale;
}

class JpegPartTest : public testing::TestWithParam<std::tuple<int, int, int, bool>> {
 protected:
  std::string file() const {
    const auto [channels, wide, high, progressive] = GetParam();
    return jpeg_file({channels, kHeight, kWidth}, pixels(channels),
                     {.progressive = progressive, .wide = wide, .high = high});
  }
};

TEST_P(JpegPartTest, BoxesHaveThePixelsOfTheWholePicture) {
  const std::string content = file();
  for (const int scale : {8, 4, 2, 1}) {
    const DecodedPart whole = decode_whole(content, scale);
    for (const int height : {16, 32, 67}) {
      for (const int width : {16, 40, 71}) {
        for (const int top : {0, 5, 16, kHeight - height}) {
          for (const int left : {0, 7, 17, kWidth - width}) {
            const PictureBox box{top, left, std::min(height, kHeight - top), std::min(width, kWidth - left)};
            // Half the scale would be less than that.
            const PictureSize least{.height = (box.height * scale + 8) / 16 + 1, .width = 1};
            if (box.height * scale < 8 * least.height) {
              continue;
            }
            expect_part_of(whole, open_jpeg(content)->decode(box, least), box, scale);
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, JpegPartTest,
                         testing::Values(std::tuple{1, 1, 1, false}, std::tuple{3, 1, 1, false},
                                         std::tuple{3, 2, 1, false}, std::tuple{3, 2, 2, false},
                                         std::tuple{3, 1, 2, false}, std::tuple{3, 4, 1, false},
                                         std::tuple{1, 1, 1, true}, std::tuple{3, 2, 2, true}));

TEST(Jpeg, TheScaleIsTheSmallestThatIsFineEnough) {
  const std::string file = jpeg_file({3, kHeight, kWidth}, pixels(3));
  const PictureBox box{0, 0, 80, 80};
  const std::vector<std::pair<int, int>> cases = {{100, 80}, {80, 80}, {41, 80}, {40, 40}, {21, 40},
                                                  {20, 20},  {11, 20}, {10, 10}, {1, 10}};
  for (const auto& [least, expected] : cases) {
    EXPECT_EQ(open_jpeg(file)->decode(box, {least, 1}).box.height, expected) << least;
    EXPECT_EQ(open_jpeg(file)->decode(box, {1, least}).box.width, expected) << least;
  }
}

TEST(Jpeg, MoreScansThanUsualAreRefused) {
  const std::string file = jpeg_file({1, kHeight, kWidth}, pixels(1), {.many_scans = true});
  expect_input_error([&] { open_jpeg(file)->decode(kWhole, {1, 1}); }, {"scans"});
}

// Only the header claims the size.
TEST(Jpeg, AProgressivePictureMustFitInMemory) {
  std::string file = jpeg_file({3, kHeight, kWidth}, pixels(3), {.progressive = true});
  file.replace(file.find("\xFF\xC2") + 5, 4, std::string("\x40\0\x40\0", 4));
  EXPECT_EQ(open_jpeg(file)->format(), (PictureFormat{3, 16384, 16384}));
  expect_input_error(
      [&] {
        open_jpeg(file)->decode({0, 0, 100, 100}, {1, 1});
      },
      {"progressive", "768 MiB", "at most 512"});
}

TEST(Jpeg, WhatLiesBelowThePartIsNotRead) {
  const std::string file = jpeg_file({3, kHeight, kWidth}, pixels(3));
  const std::string cut = file.substr(0, file.size() * 2 / 3);
  EXPECT_NO_THROW(open_jpeg(cut)->decode({0, 0, 32, kWidth}, {32, kWidth}));
  EXPECT_THROW(open_jpeg(cut)->decode({60, 0, kHeight - 60, kWidth}, {1, 1}), InputError);
  EXPECT_THROW(open_jpeg(file.substr(0, file.size() - 2))->decode({60, 0, kHeight - 60, kWidth}, {1, 1}), InputError);
}

}  // namespace
}  // namespace resist
