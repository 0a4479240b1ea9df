#include "resist/data/png.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "picture_files.h"
#include "resist/core/error.h"
#include "resist/core/random.h"

namespace resist {
namespace {

constexpr PictureFormat kFormat{3, 40, 30};

class PngTest : public testing::TestWithParam<bool> {
 protected:
  std::string file_ = png_file(kFormat, smooth(kFormat), GetParam());
};

TEST_P(PngTest, BoxesHaveThePixelsOfTheWholePicture) {
  const std::vector<std::uint8_t> pixels = smooth(kFormat);
  for (const PictureBox& box : {PictureBox{0, 0, 40, 30}, PictureBox{0, 0, 5, 4}, PictureBox{35, 26, 5, 4},
                                PictureBox{11, 7, 13, 9}, PictureBox{39, 0, 1, 30}}) {
    const DecodedPart part = open_png(file_)->decode(box, {1, 1});
    EXPECT_EQ(part.box.height, box.height);
    EXPECT_EQ(part.box.width, box.width);
    for (int y = 0; y < box.height; ++y) {
      for (int x = 0; x < box.width * 3; ++x) {
        const int row = y + static_cast<int>(part.box.top);
        const int column = x + static_cast<int>(part.box.left) * 3;
        ASSERT_EQ(part.pixels[static_cast<std::size_t>(row * part.width * 3 + column)],
                  pixels[static_cast<std::size_t>(((y + box.top) * 30 + box.left) * 3 + x)]);
      }
    }
  }
}

TEST_P(PngTest, TheWholeFileIsCheckedIfThePartReachesTheLastRow) {
  for (const std::size_t missing : {1U, 13U, 40U}) {
    const std::string cut = file_.substr(0, file_.size() - missing);
    EXPECT_THROW(open_png(cut)->decode({39, 0, 1, 30}, {1, 1}), InputError);
  }
}

INSTANTIATE_TEST_SUITE_P(Interlaced, PngTest, testing::Bool());

TEST(Png, WhatLiesBelowThePartIsNotRead) {
  const PictureFormat format{3, 200, 300};
  RandomStream random(1, RandomPurpose::synthetic_data, {});
  std::vector<std::uint8_t> noise(std::size_t{3} * 200 * 300);
  std::ranges::generate(noise, [&] { return static_cast<std::uint8_t>(random.next()); });
  const std::string file = png_file(format, noise);
  const std::string cut = file.substr(0, file.size() * 2 / 3);
  EXPECT_NO_THROW(open_png(cut)->decode({0, 0, 50, 300}, {1, 1}));
  EXPECT_THROW(open_png(cut)->decode({150, 0, 5, 300}, {1, 1}), InputError);
}

}  // namespace
}  // namespace resist
