#include "resist/data/orientation.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace resist {
namespace {

using Bytes = std::vector<std::uint8_t>;

// The upright picture is 1 2 3 above 4 5 6; this is how each orientation stores it.
const std::array<Bytes, 8> kStored = {{{1, 2, 3, 4, 5, 6},
                                       {3, 2, 1, 6, 5, 4},
                                       {6, 5, 4, 3, 2, 1},
                                       {4, 5, 6, 1, 2, 3},
                                       {1, 4, 2, 5, 3, 6},
                                       {3, 6, 2, 5, 1, 4},
                                       {6, 3, 5, 2, 4, 1},
                                       {4, 1, 5, 2, 6, 3}}};
constexpr PictureSize kUpright{2, 3};

class OrientationTest : public testing::TestWithParam<int> {
 protected:
  const Bytes& stored() const { return kStored.at(static_cast<std::size_t>(GetParam() - 1)); }
  PictureSize stored_size() const { return GetParam() > 4 ? PictureSize{3, 2} : PictureSize{2, 3}; }

  Orientation orientation_ = orientation_of(GetParam());
};

TEST_P(OrientationTest, TurnsEveryChannelUpright) {
  EXPECT_EQ(turned(stored_size(), orientation_), kUpright);
  EXPECT_EQ(turned(kUpright, orientation_), stored_size());
  Bytes two_channels = stored();
  for (const std::uint8_t value : stored()) {
    two_channels.push_back(static_cast<std::uint8_t>(value + 10));
  }
  Bytes upright(12);
  turn_upright(two_channels, stored_size(), orientation_, upright);
  EXPECT_EQ(upright, (Bytes{1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16}));
}

TEST_P(OrientationTest, FindsABoxInTheStoredPicture) {
  const PictureBox box = stored_box({.top = 1, .left = 1, .height = 1, .width = 2}, stored_size(), orientation_);
  int sum = 0;
  for (int y = box.top; y < box.top + box.height; ++y) {
    for (int x = box.left; x < box.left + box.width; ++x) {
      sum += stored().at(static_cast<std::size_t>(y * stored_size().width + x));
    }
  }
  EXPECT_EQ(sum, 5 + 6);
  EXPECT_EQ(box.height * box.width, 2);
}

INSTANTIATE_TEST_SUITE_P(All, OrientationTest, testing::Range(1, 9));

TEST(Orientation, OtherValuesAreUpright) {
  for (const int value : {-1, 0, 9, 1000}) {
    EXPECT_EQ(orientation_of(value), Orientation{});
  }
}

}  // namespace
}  // namespace resist
