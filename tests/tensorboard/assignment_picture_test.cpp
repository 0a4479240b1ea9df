#include "resist/tensorboard/assignment_picture.h"

#include <gtest/gtest.h>
#include <png.h>

#include <array>
#include <cstdint>
#include <string>

namespace resist {
namespace {

using Pixel = std::array<std::uint8_t, 3>;
constexpr Pixel kBackground = {255, 255, 255};
constexpr Pixel kNotHeld = {225, 225, 225};
constexpr Pixel kHeldBySeveral = {130, 175, 230};
constexpr Pixel kHeldAlone = {25, 75, 145};

// The decoded picture.
class Pixels {
 public:
  explicit Pixels(const AssignmentPicture& picture) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    EXPECT_NE(png_image_begin_read_from_memory(&image, picture.png.data(), picture.png.size()), 0) << image.message;
    EXPECT_EQ(image.height, static_cast<unsigned>(picture.height));
    EXPECT_EQ(image.width, static_cast<unsigned>(picture.width));
    image.format = PNG_FORMAT_RGB;
    width_ = image.width;
    pixels_.resize(std::size_t{image.height} * width_);
    EXPECT_NE(png_image_finish_read(&image, nullptr, pixels_.data(), 0, nullptr), 0) << image.message;
  }
  const Pixel& at(int row, int column) const { return pixels_.at(row * width_ + column); }

 private:
  std::size_t width_ = 0;
  std::vector<Pixel> pixels_;
};

TEST(AssignmentPicture, ShowsWhoHoldsWhat) {
  constexpr int kCell = 24;
  constexpr int kLine = 3;
  const Assignment assignment({{0, 1, 3}, {1, 2, 4}}, 5);
  const AssignmentPicture picture =
      draw_assignment(assignment, {{.section = 2, .blocks = 2}, {.section = 3, .blocks = 3}});
  EXPECT_EQ(picture.height, 2 * kCell + kLine);
  EXPECT_EQ(picture.width, 6 * kCell + kLine);  // five blocks and the gap between two sections
  const Pixels pixels(picture);
  const std::array<std::array<Pixel, 6>, 2> expected = {
      {{kHeldAlone, kHeldBySeveral, kBackground, kNotHeld, kHeldAlone, kNotHeld},
       {kNotHeld, kHeldBySeveral, kBackground, kHeldAlone, kNotHeld, kHeldAlone}}};
  for (int row = 0; row < picture.height; ++row) {
    for (int column = 0; column < picture.width; ++column) {
      const bool on_line = row % kCell < kLine || column % kCell < kLine;
      EXPECT_EQ(pixels.at(row, column), on_line ? kBackground : expected[row / kCell][column / kCell])
          << row << ", " << column;
    }
  }
}

TEST(AssignmentPicture, ABlockThatAllHoldIsLight) {
  const Pixels pixels(draw_assignment(assign_all({{.section = 3, .blocks = 2}}, 3), {{.section = 3, .blocks = 2}}));
  EXPECT_EQ(pixels.at(12, 12), kHeldBySeveral);
  EXPECT_EQ(pixels.at(60, 36), kHeldBySeveral);
}

TEST(AssignmentPicture, OneWorkerHoldsAllAlone) {
  const AssignmentPicture picture =
      draw_assignment(assign_all({{.section = 3, .blocks = 2}}, 1), {{.section = 3, .blocks = 2}});
  EXPECT_EQ(Pixels(picture).at(12, 36), kHeldAlone);
}

TEST(AssignmentPicture, CellsShrinkWhereThereAreMany) {
  const std::vector<DeckSize> decks = {{.section = 3, .blocks = 100}};
  const AssignmentPicture hundred = draw_assignment(assign_all(decks, 4), decks);
  EXPECT_EQ(hundred.width, 100 * 12 + 1);
  EXPECT_EQ(hundred.height, 4 * 12 + 1);
  const std::vector<DeckSize> many = {{.section = 2, .blocks = 1000}, {.section = 3, .blocks = 1000}};
  const AssignmentPicture pixel_each = draw_assignment(assign_all(many, 16), many);
  EXPECT_EQ(pixel_each.width, 2001);
  EXPECT_EQ(pixel_each.height, 16);
  EXPECT_EQ(Pixels(pixel_each).at(15, 2000), kHeldBySeveral);
  EXPECT_EQ(Pixels(pixel_each).at(15, 1000), kBackground);
}

TEST(AssignmentPicture, IsSmall) {
  const std::vector<DeckSize> decks = {{.section = 3, .blocks = 22}};
  EXPECT_LT(draw_assignment(deal(decks, 8, {}, 1, 0), decks).png.size(), 2000U);
}

}  // namespace
}  // namespace resist
