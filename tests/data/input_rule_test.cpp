#include "resist/data/input_rule.h"

#include <gtest/gtest.h>

#include "expect_input_error.h"

namespace resist {
namespace {

DatasetInfo chosen(const std::vector<PictureFormat>& formats, int image_size) {
  DatasetInfo info;
  info.name = "set";
  choose_input(formats, image_size, info);
  return info;
}

TEST(EvenlySpaced, GivesAllOrAsManyAsAsked) {
  EXPECT_EQ(evenly_spaced(3, 64), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(evenly_spaced(100, 4), (std::vector<std::int64_t>{0, 25, 50, 75}));
  EXPECT_TRUE(evenly_spaced(0, 4).empty());
}

TEST(ChooseInput, SmallPicturesOfOneSizeKeepIt) {
  for (const int image_size : {0, 96}) {
    const DatasetInfo info = chosen({{3, 96, 96}, {3, 96, 96}}, image_size);
    EXPECT_FALSE(info.own_sizes);
    EXPECT_EQ(info.input_size(), (PictureSize{96, 96}));
    EXPECT_EQ(info.crop_padding, 12);
    EXPECT_TRUE(info.flip);
  }
  const DatasetInfo oblong = chosen({{3, 16, 24}}, 0);
  EXPECT_FALSE(oblong.own_sizes);
  EXPECT_EQ(oblong.input_size(), (PictureSize{16, 24}));
  EXPECT_EQ(oblong.crop_padding, 2);
}

TEST(ChooseInput, OthersHaveSizesOfTheirOwn) {
  for (const auto& formats : {std::vector<PictureFormat>{{3, 32, 32}, {3, 32, 33}},
                              std::vector<PictureFormat>{{3, 97, 97}}, std::vector<PictureFormat>{{3, 20, 97}}}) {
    const DatasetInfo info = chosen(formats, 0);
    EXPECT_TRUE(info.own_sizes);
    EXPECT_EQ(info.input_size(), (PictureSize{224, 224}));
    EXPECT_EQ(info.crop_padding, 0);
    EXPECT_TRUE(info.flip);
    EXPECT_EQ(chosen(formats, 64).input_size(), (PictureSize{64, 64}));
  }
}

TEST(ChooseInput, AnotherSizeThanThePicturesMeansResampling) {
  EXPECT_TRUE(chosen({{3, 32, 32}}, 64).own_sizes);
  EXPECT_TRUE(chosen({{3, 32, 16}}, 32).own_sizes);
}

TEST(ChooseInput, OnePictureInColourMakesTheInputColour) {
  EXPECT_EQ(chosen({{1, 32, 32}, {3, 32, 32}, {1, 32, 32}}, 0).channels, 3);
  EXPECT_EQ(chosen({{1, 32, 32}}, 0).channels, 1);
}

TEST(ChooseInput, NeedsAPicture) {
  expect_input_error([] { chosen({}, 0); }, {"none of the training pictures of 'set'"});
}

TEST(UsablePart, IsTheFramingsBoxWhereTheChannelsFit) {
  EXPECT_EQ(usable_part({3, 6, 9}, Framing::whole(), {3, 6, 9}), (PictureBox{0, 0, 6, 9}));
  EXPECT_EQ(usable_part({1, 16, 16}, Framing::centre(), {3, 8, 8}), (PictureBox{1, 1, 14, 14}));
  expect_input_error([] { usable_part({3, 6, 9}, Framing::whole(), {1, 6, 9}); }, {"in colour", "grey"});
  expect_input_error([] { usable_part({3, 6, 9}, Framing::whole(), {3, 9, 6}); }, {"6x9", "9x6"});
}

}  // namespace
}  // namespace resist
