#include "resist/data/exif.h"

#include <gtest/gtest.h>

#include "exif_block.h"
#include "resist/core/random.h"

namespace resist {
namespace {

TEST(Exif, FindsTheOrientationInBothByteOrders) {
  for (const bool big_endian : {false, true}) {
    for (unsigned value = 1; value <= 8; ++value) {
      const ExifBlock block{.big_endian = big_endian, .orientation = value};
      EXPECT_EQ(exif_orientation(block.bytes()), static_cast<int>(value));
    }
  }
}

TEST(Exif, WhatIsNoOrientationIsUpright) {
  for (const ExifBlock& block :
       {ExifBlock{.orientation = 0}, ExifBlock{.orientation = 9}, ExifBlock{.orientation = 0xFFFF},
        ExifBlock{.tag = 0x0113}, ExifBlock{.type = 4}, ExifBlock{.count = 2}, ExifBlock{.directory = 9},
        ExifBlock{.directory = 0xFFFFFFF0}}) {
    EXPECT_EQ(exif_orientation(block.bytes()), 1);
  }
  std::vector<std::uint8_t> bytes = ExifBlock{}.bytes();
  bytes[0] = 'e';
  EXPECT_EQ(exif_orientation(bytes), 1);
  bytes = ExifBlock{}.bytes();
  bytes[7] = 'M';
  EXPECT_EQ(exif_orientation(bytes), 1);
  EXPECT_EQ(exif_orientation({}), 1);
}

TEST(Exif, EveryCutBeforeTheValueIsUpright) {
  const std::vector<std::uint8_t> whole = ExifBlock{}.bytes();
  const std::size_t value_end = whole.size() - 6;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const std::vector<std::uint8_t> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(exif_orientation(cut), size < value_end ? 1 : 6) << size;
  }
}

TEST(Exif, SurvivesMutatedBytes) {
  const std::vector<std::uint8_t> whole = ExifBlock{}.bytes();
  RandomStream random(1, RandomPurpose::synthetic_data, {});
  int upright = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::uint8_t> bytes = whole;
    for (int change = 0; change < 2; ++change) {
      bytes[random.below(static_cast<std::uint32_t>(bytes.size()))] = static_cast<std::uint8_t>(random.next());
    }
    const int orientation = exif_orientation(bytes);
    EXPECT_GE(orientation, 1);
    EXPECT_LE(orientation, 8);
    upright += orientation == 1 ? 1 : 0;
  }
  EXPECT_GT(upright, 200);
  EXPECT_LT(upright, 1800);
}

}  // namespace
}  // namespace resist
