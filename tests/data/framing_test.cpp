#include "resist/data/framing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "expect_input_error.h"

namespace resist {
namespace {

constexpr PictureSize kSquare{224, 224};

RandomStream random_at(std::uint32_t position) {
  return RandomStream(1, RandomPurpose::augmentation, {.position = position});
}

TEST(Framing, WholeIsAllOfAPictureOfTheInputsSize) {
  EXPECT_EQ(Framing::whole().box({5, 7}, {5, 7}), (PictureBox{0, 0, 5, 7}));
  expect_input_error([] { Framing::whole().box({5, 7}, {7, 5}); }, {"it is 5x7", "input is 7x5", "--image-size N"});
}

TEST(Framing, CentreIsSevenEighthsOfTheLargestMiddleRectangle) {
  EXPECT_EQ(Framing::centre().box({256, 256}, kSquare), (PictureBox{16, 16, 224, 224}));
  EXPECT_EQ(Framing::centre().box({512, 384}, kSquare), (PictureBox{88, 24, 336, 336}));
  EXPECT_EQ(Framing::centre().box({384, 512}, {100, 200}), (PictureBox{80, 32, 224, 448}));
  EXPECT_EQ(Framing::centre().box({1, 1000}, kSquare), (PictureBox{0, 499, 1, 1}));
}

TEST(Framing, RandomBoxesLieWithinThePictureAndHaveTheAskedAreaAndShape) {
  for (const PictureSize picture : {PictureSize{375, 500}, PictureSize{500, 375}, PictureSize{64, 64}}) {
    for (const PictureSize input : {kSquare, PictureSize{64, 128}}) {
      for (const double least_area : {0.08, 0.5}) {
        for (std::uint32_t position = 0; position < 2000; ++position) {
          const PictureBox box = Framing::random(least_area, random_at(position)).box(picture, input);
          ASSERT_GE(box.top, 0);
          ASSERT_GE(box.left, 0);
          ASSERT_GE(box.height, 1);
          ASSERT_GE(box.width, 1);
          ASSERT_LE(box.top + box.height, picture.height);
          ASSERT_LE(box.left + box.width, picture.width);
          // Sides are rounded to whole pixels: by one in each, at most.
          const double largest = (box.height + 1.0) * (box.width + 1) / picture.height / picture.width;
          ASSERT_GE(largest, std::min(least_area, 0.25));  // the fallback may be smaller than asked
          const double stretch = static_cast<double>(box.width) / box.height * input.height / input.width;
          const double rounding = 1 + 1.0 / box.height + 1.0 / box.width;
          ASSERT_GE(stretch * rounding, 3.0 / 4);
          ASSERT_LE(stretch / rounding, 4.0 / 3);
        }
      }
    }
  }
}

TEST(Framing, RandomBoxesReachAllAreasShapesAndCorners) {
  constexpr PictureSize kPicture{400, 400};
  double least_area = 1;
  double most_area = 0;
  double least_stretch = 2;
  double most_stretch = 0;
  double log_stretch = 0;
  std::set<std::pair<bool, bool>> corners;
  constexpr int kDraws = 5000;
  for (std::uint32_t position = 0; position < kDraws; ++position) {
    const PictureBox box = Framing::random(0.08, random_at(position)).box(kPicture, kSquare);
    const double area = box.height * box.width / 160000.0;
    const double stretch = static_cast<double>(box.width) / box.height;
    least_area = std::min(least_area, area);
    most_area = std::max(most_area, area);
    least_stretch = std::min(least_stretch, stretch);
    most_stretch = std::max(most_stretch, stretch);
    log_stretch += std::log(stretch);
    if (box.top + box.height / 2 < 150 || box.top + box.height / 2 > 250) {
      corners.emplace(box.top < 100, box.left < 100);
    }
  }
  EXPECT_LT(least_area, 0.085);
  EXPECT_GT(most_area, 0.95);
  EXPECT_LT(least_stretch, 0.76);
  EXPECT_GT(most_stretch, 1.32);
  EXPECT_NEAR(log_stretch / kDraws, 0, 0.02);  // as often wide as high
  EXPECT_EQ(corners.size(), 4U);
}

TEST(Framing, WhereNothingFitsTheLargestBoxOfAnAllowedShapeIsTaken) {
  const Framing framing = Framing::random(1, random_at(0));
  EXPECT_EQ(framing.box({10, 1000}, kSquare), (PictureBox{0, 493, 10, 13}));
  EXPECT_EQ(framing.box({1000, 10}, kSquare), (PictureBox{493, 0, 13, 10}));
  EXPECT_EQ(framing.box({1, 1}, kSquare), (PictureBox{0, 0, 1, 1}));
}

TEST(Framing, IsAValueThatGivesTheSameBoxEveryTime) {
  const Framing framing = Framing::random(0.08, random_at(3));
  const Framing copy = framing;
  const PictureBox box = framing.box({375, 500}, kSquare);
  EXPECT_EQ(framing.box({375, 500}, kSquare), box);
  EXPECT_EQ(copy.box({375, 500}, kSquare), box);
  EXPECT_NE(Framing::random(0.08, random_at(4)).box({375, 500}, kSquare), box);
}

}  // namespace
}  // namespace resist
