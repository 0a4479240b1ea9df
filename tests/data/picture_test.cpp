#include "resist/data/picture.h"

#include <gtest/gtest.h>

#include <numeric>

#include "binary_files.h"
#include "expect_input_error.h"
#include "picture_files.h"
#include "resist/core/random.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

constexpr PictureFormat kGrey{1, 6, 9};
constexpr PictureFormat kColour{3, 6, 9};

class PictureTest : public testing::Test {
 protected:
  Bytes read(const PictureFormat& format) const {
    Bytes pixels(static_cast<std::size_t>(format.channels * format.height * format.width));
    read_picture(path_, format, pixels);
    return pixels;
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "picture";
};

TEST_F(PictureTest, PngIsReadExactlyAndChannelByChannel) {
  Bytes interleaved(std::size_t{3} * 54);
  std::iota(interleaved.begin(), interleaved.end(), std::uint8_t{0});
  write_png(path_, kColour, interleaved);
  EXPECT_EQ(picture_format(path_), kColour);
  const Bytes pixels = read(kColour);
  for (std::size_t i = 0; i < 54; ++i) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      EXPECT_EQ(pixels[channel * 54 + i], interleaved[i * 3 + channel]);
    }
  }
}

TEST_F(PictureTest, GreyPngFillsOneOrThreeChannels) {
  Bytes grey(54);
  std::iota(grey.begin(), grey.end(), std::uint8_t{100});
  write_png(path_, kGrey, grey);
  EXPECT_EQ(picture_format(path_), kGrey);
  EXPECT_EQ(read(kGrey), grey);
  const Bytes three = read(kColour);
  EXPECT_TRUE(std::equal(grey.begin(), grey.end(), three.begin()));
  EXPECT_TRUE(std::equal(grey.begin(), grey.end(), three.begin() + 108));
}

TEST_F(PictureTest, TransparencyOfPngIsDropped) {
  write_png(path_, {4, 6, 9}, flat(kColour, {10, 20, 30, 128}));
  EXPECT_EQ(picture_format(path_), kColour);
  EXPECT_EQ(read(kColour).at(60), 20);
  write_png(path_, {2, 6, 9}, flat(kGrey, {77, 0}));
  EXPECT_EQ(picture_format(path_), kGrey);
  EXPECT_EQ(read(kGrey), Bytes(54, 77));
}

TEST_F(PictureTest, JpegIsReadInGreyAndColour) {
  write_jpeg(path_, kColour, flat(kColour, {200, 100, 50}));
  EXPECT_EQ(picture_format(path_), kColour);
  const Bytes colour = read(kColour);
  EXPECT_NEAR(colour[10], 200, 3);
  EXPECT_NEAR(colour[54 + 10], 100, 3);
  EXPECT_NEAR(colour[108 + 10], 50, 3);

  write_jpeg(path_, kGrey, flat(kGrey, {90}));
  EXPECT_EQ(picture_format(path_), kGrey);
  EXPECT_NEAR(read(kGrey)[53], 90, 2);
  EXPECT_NEAR(read(kColour)[160], 90, 2);
}

TEST_F(PictureTest, AnotherSizeIsRefusedWithBothSizes) {
  write_png(path_, kColour, flat(kColour, {1, 2, 3}));
  expect_input_error([&] { read({3, 9, 6}); }, {path_.string(), "6x9", "9x6"});
  write_jpeg(path_, kColour, flat(kColour, {1, 2, 3}));
  expect_input_error([&] { read({3, 6, 8}); }, {path_.string(), "6x9", "6x8"});
}

TEST_F(PictureTest, ColourIsRefusedWhereGreyIsExpected) {
  write_png(path_, kColour, flat(kColour, {1, 2, 3}));
  expect_input_error([&] { read(kGrey); }, {path_.string(), "in colour", "grey"});
}

TEST_F(PictureTest, OtherFilesAreRefused) {
  expect_input_error([&] { picture_format(path_); }, {path_.string(), "no such file"});
  write_bytes(path_, {});
  expect_input_error([&] { picture_format(path_); }, {path_.string(), "empty"});
  write_bytes(path_, {'G', 'I', 'F', '8'});
  expect_input_error([&] { picture_format(path_); }, {path_.string(), "neither JPEG nor PNG"});
}

TEST_F(PictureTest, HugeSizesAreRefusedByTheHeader) {
  const PictureFormat wide{1, 1, 4097};
  write_png(path_, wide, flat(wide, {1}));
  expect_input_error([&] { picture_format(path_); }, {path_.string(), "1x4097", "4096"});
  write_jpeg(path_, wide, flat(wide, {1}));
  expect_input_error([&] { picture_format(path_); }, {path_.string(), "1x4097", "4096"});
}

class CutPictureTest : public PictureTest, public testing::WithParamInterface<bool> {
 protected:
  // Noise, so that the compressed data is most of the file.
  void write_noise() const {
    const PictureFormat format{3, 20, 20};
    RandomStream random(1, RandomPurpose::synthetic_data, {});
    Bytes pixels(1200);
    std::generate(pixels.begin(), pixels.end(), [&] { return static_cast<std::uint8_t>(random.next()); });
    GetParam() ? write_jpeg(path_, format, pixels) : write_png(path_, format, pixels);
  }
};

TEST_P(CutPictureTest, EveryCutIsAnErrorThatNamesTheFile) {
  write_noise();
  const Bytes whole = read_bytes(path_);
  ASSERT_NO_THROW(read({3, 20, 20}));
  for (std::size_t size = 0; size < whole.size(); size += 1 + whole.size() / 100) {
    write_bytes(path_, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    expect_input_error([&] { read({3, 20, 20}); }, {path_.string()});
  }
  write_bytes(path_, Bytes(whole.begin(), whole.end() - 1));
  expect_input_error([&] { read({3, 20, 20}); }, {path_.string()});
}

TEST_P(CutPictureTest, SurvivesMutatedBytes) {
  write_noise();
  const Bytes whole = read_bytes(path_);
  RandomStream random(2, RandomPurpose::synthetic_data, {});
  int refused = 0;
  for (int round = 0; round < 200; ++round) {
    Bytes bytes = whole;
    bytes[random.below(static_cast<std::uint32_t>(bytes.size()))] ^= static_cast<std::uint8_t>(1 + random.below(255));
    write_bytes(path_, bytes);
    try {
      read({3, 20, 20});
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(path_.string()), std::string::npos) << error.what();
      ++refused;
    }
  }
  // PNG has checksums everywhere; most changes of JPEG data give another valid picture.
  EXPECT_GE(refused, GetParam() ? 5 : 195);
}

INSTANTIATE_TEST_SUITE_P(Types, CutPictureTest, testing::Bool(),
                         [](const auto& parameter) { return parameter.param ? "Jpeg" : "Png"; });

}  // namespace
}  // namespace resist
