#include "resist/data/picture.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "binary_files.h"
#include "exif_block.h"
#include "expect_input_error.h"
#include "picture_files.h"
#include "resist/core/random.h"
#include "resist/data/orientation.h"
#include "resist/data/resample.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

constexpr PictureFormat kGrey{1, 6, 9};
constexpr PictureFormat kColour{3, 6, 9};

Bytes read(const std::string& file, const PictureFormat& input, const Framing& framing = Framing::whole()) {
  Bytes pixels(static_cast<std::size_t>(input.channels * input.height * input.width));
  read_picture(file, framing, input, pixels);
  return pixels;
}

double mean_difference(const Bytes& a, const Bytes& b) {
  EXPECT_EQ(a.size(), b.size());
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += std::abs(int{a[i]} - int{b[i]});
  }
  return sum / static_cast<double>(a.size());
}

TEST(Picture, PngIsReadExactlyAndChannelByChannel) {
  Bytes interleaved(std::size_t{3} * 54);
  std::iota(interleaved.begin(), interleaved.end(), std::uint8_t{0});
  const std::string file = png_file(kColour, interleaved);
  EXPECT_EQ(picture_format(file), kColour);
  const Bytes pixels = read(file, kColour);
  for (std::size_t i = 0; i < 54; ++i) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      EXPECT_EQ(pixels[channel * 54 + i], interleaved[i * 3 + channel]);
    }
  }
}

TEST(Picture, GreyPngFillsOneOrThreeChannels) {
  Bytes grey(54);
  std::iota(grey.begin(), grey.end(), std::uint8_t{100});
  const std::string file = png_file(kGrey, grey);
  EXPECT_EQ(picture_format(file), kGrey);
  EXPECT_EQ(read(file, kGrey), grey);
  const Bytes three = read(file, kColour);
  for (const std::ptrdiff_t first : {0, 54, 108}) {
    EXPECT_TRUE(std::equal(grey.begin(), grey.end(), three.begin() + first));
  }
}

TEST(Picture, TransparencyOfPngIsDropped) {
  const std::string colour = png_file({4, 6, 9}, flat(kColour, {10, 20, 30, 128}));
  EXPECT_EQ(picture_format(colour), kColour);
  EXPECT_EQ(read(colour, kColour).at(60), 20);
  const std::string grey = png_file({2, 6, 9}, flat(kGrey, {77, 0}));
  EXPECT_EQ(picture_format(grey), kGrey);
  EXPECT_EQ(read(grey, kGrey), Bytes(54, 77));
}

TEST(Picture, JpegIsReadInGreyAndColour) {
  const std::string file = jpeg_file(kColour, flat(kColour, {200, 100, 50}));
  EXPECT_EQ(picture_format(file), kColour);
  const Bytes colour = read(file, kColour);
  EXPECT_NEAR(colour[10], 200, 3);
  EXPECT_NEAR(colour[54 + 10], 100, 3);
  EXPECT_NEAR(colour[108 + 10], 50, 3);

  const std::string grey = jpeg_file(kGrey, flat(kGrey, {90}));
  EXPECT_EQ(picture_format(grey), kGrey);
  EXPECT_NEAR(read(grey, kGrey)[53], 90, 2);
  EXPECT_NEAR(read(grey, kColour)[160], 90, 2);
}

TEST(Picture, JpegInInksIsReadInColour) {
  const PictureFormat inks{4, 6, 9};
  const Bytes inverted = flat(inks, {200, 100, 50, 128});
  const Bytes as_ink = flat(inks, {55, 155, 205, 127});
  for (const std::string& file : {jpeg_file(inks, inverted), jpeg_file(inks, inverted, {.ycck = true}),
                                  jpeg_file(inks, as_ink, {.adobe = false})}) {
    EXPECT_EQ(picture_format(file), kColour);
    const Bytes colour = read(file, kColour);
    EXPECT_NEAR(colour[10], 100, 4);
    EXPECT_NEAR(colour[54 + 10], 50, 4);
    EXPECT_NEAR(colour[108 + 10], 25, 4);
  }
}

TEST(Picture, ProgressiveJpegHasTheSamePixels) {
  const PictureFormat format{3, 45, 70};
  for (const Framing& framing : {Framing::centre(), Framing::random(0.1, {1, RandomPurpose::augmentation, {}})}) {
    EXPECT_EQ(read(jpeg_file(format, smooth(format), {.progressive = true}), {3, 16, 16}, framing),
              read(jpeg_file(format, smooth(format)), {3, 16, 16}, framing));
  }
}

// Scaling while decoding is coarser than the filter, but must not shift or dim the picture.
TEST(Picture, ReducedDecodingIsCloseToFullDecoding) {
  const PictureFormat format{3, 480, 700};
  const std::string jpeg = jpeg_file(format, smooth(format));
  const std::string png = png_file(format, smooth(format));
  for (const int side : {224, 110, 50, 20}) {
    const PictureFormat input{3, side, side};
    for (std::uint32_t position = 0; position < 5; ++position) {
      const RandomStream random(1, RandomPurpose::augmentation, {.position = position});
      const Framing framing = position == 0 ? Framing::centre() : Framing::random(0.3, random);
      EXPECT_LT(mean_difference(read(jpeg, input, framing), read(png, input, framing)), 1.0) << side;
    }
  }
}

class OrientedPictureTest : public testing::TestWithParam<int> {
 protected:
  static constexpr PictureFormat kUpright{3, 96, 64};

  // The smooth picture, stored as the orientation says.
  static std::string oriented_file(int exif_value) {
    const Orientation orientation = orientation_of(exif_value);
    const PictureSize size = turned(kUpright.size(), orientation);
    const Bytes upright = smooth(kUpright);
    Bytes stored(upright.size());
    for (int y = 0; y < kUpright.height; ++y) {
      for (int x = 0; x < kUpright.width; ++x) {
        const PictureBox place = stored_box({.top = y, .left = x, .height = 1, .width = 1}, size, orientation);
        const auto from = upright.begin() + (y * kUpright.width + x) * 3;
        std::copy(from, from + 3, stored.begin() + (place.top * size.width + place.left) * 3);
      }
    }
    const ExifBlock exif{.big_endian = exif_value % 2 == 0, .orientation = static_cast<unsigned>(exif_value)};
    return jpeg_file({3, size.height, size.width}, stored, {.exif = exif.bytes()});
  }
};

TEST_P(OrientedPictureTest, IsReadUpright) {
  const std::string file = oriented_file(GetParam());
  EXPECT_EQ(picture_format(file), kUpright);
  EXPECT_LT(mean_difference(read(file, kUpright), read(png_file(kUpright, smooth(kUpright)), kUpright)), 2.0);
}

TEST_P(OrientedPictureTest, PartsAreThoseOfTheUprightPicture) {
  const std::string file = oriented_file(GetParam());
  for (std::uint32_t position = 0; position < 10; ++position) {
    const Framing framing = Framing::random(0.08, {1, RandomPurpose::augmentation, {.position = position}});
    const PictureFormat input{3, 20, 30};
    EXPECT_LT(mean_difference(read(file, input, framing), read(oriented_file(1), input, framing)), 2.5);
  }
}

INSTANTIATE_TEST_SUITE_P(All, OrientedPictureTest, testing::Range(1, 9));

TEST(Picture, DamagedExifIsNoError) {
  Bytes exif = ExifBlock{.directory = 0x7FFFFFFF}.bytes();
  const std::string file = jpeg_file(kColour, flat(kColour, {1, 2, 3}), {.exif = exif});
  EXPECT_EQ(picture_format(file), kColour);
}

TEST(Picture, AnotherSizeIsRefusedWithBothSizes) {
  for (const std::string& file :
       {png_file(kColour, flat(kColour, {1, 2, 3})), jpeg_file(kColour, flat(kColour, {1, 2, 3}))}) {
    expect_input_error([&] { read(file, {3, 9, 6}); }, {"6x9", "9x6", "--image-size N"});
    expect_input_error([&] { read(file, {3, 6, 8}); }, {"6x9", "6x8"});
  }
}

TEST(Picture, ColourIsRefusedWhereGreyIsExpected) {
  expect_input_error([] { read(png_file(kColour, flat(kColour, {1, 2, 3})), kGrey); }, {"in colour", "grey"});
}

TEST(Picture, OtherFilesAreRefused) {
  expect_input_error([] { picture_format(""); }, {"empty"});
  expect_input_error([] { picture_format("GIF8"); }, {"neither JPEG nor PNG"});
  const TemporaryFolder folder;
  expect_input_error([&] { read_picture_file(folder.path() / "x"); }, {(folder.path() / "x").string(), "no such file"});
  write_jpeg(folder.path() / "x", kGrey, flat(kGrey, {1}));
  EXPECT_EQ(read_picture_file(folder.path() / "x"), jpeg_file(kGrey, flat(kGrey, {1})));
}

std::string big_endian(std::uint32_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    text += static_cast<char>(value >> shift);
  }
  return text;
}

// Only the header claims the size.
TEST(Picture, HugeSizesAreRefusedByTheHeader) {
  for (const PictureSize size : {PictureSize{1, 65501}, PictureSize{65501, 1}, PictureSize{16385, 16384}}) {
    std::string png = png_file(kGrey, flat(kGrey, {1}));
    png.replace(
        16, 8,
        big_endian(static_cast<std::uint32_t>(size.width), 4) + big_endian(static_cast<std::uint32_t>(size.height), 4));
    const auto checksum = crc32(0, reinterpret_cast<const unsigned char*>(png.data() + 12), 17);
    png.replace(29, 4, big_endian(static_cast<std::uint32_t>(checksum), 4));
    expect_input_error([&] { picture_format(png); },
                       {std::to_string(size.height) + "x" + std::to_string(size.width), "65500", "268435456"});
  }
  std::string jpeg = jpeg_file(kGrey, flat(kGrey, {1}));
  jpeg.replace(jpeg.find("\xFF\xC0") + 5, 4, big_endian(16385, 2) + big_endian(16384, 2));
  expect_input_error([&] { picture_format(jpeg); }, {"16385x16384"});
  jpeg.replace(jpeg.find("\xFF\xC0") + 5, 4, big_endian(65501, 2) + big_endian(1, 2));
  expect_input_error([&] { picture_format(jpeg); }, {"65500"});
}

// The upright picture at half its size, channel by channel.
Bytes halved(const std::string& file) {
  const PictureFormat format = picture_format(file);
  const Bytes pixels = read(file, format);
  const auto plane = static_cast<std::size_t>(format.height) * static_cast<std::size_t>(format.width);
  Bytes out(pixels.size() / 4);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    resample({pixels.data() + channel * plane, format.height, format.width, 1},
             {0, 0, static_cast<double>(format.height), static_cast<double>(format.width)},
             {format.height / 2, format.width / 2}, std::span(out).subspan(channel * plane / 4, plane / 4));
  }
  return out;
}

TEST(ShrinkPicture, MakesTheShorterSideAsAskedAndKeepsTheShape) {
  const PictureFormat format{3, 90, 160};
  for (const std::string& file : {jpeg_file(format, smooth(format)), png_file(format, smooth(format))}) {
    const std::string shrunk = shrink_picture(file, 45);
    EXPECT_EQ(picture_format(shrunk), (PictureFormat{3, 45, 80}));
    EXPECT_LT(mean_difference(read(shrunk, {3, 45, 80}), halved(file)), 2.0);
  }
}

TEST(ShrinkPicture, StoresColourAsFinelyAsBrightness) {
  const PictureFormat format{3, 40, 40};
  const std::string shrunk = shrink_picture(png_file(format, smooth(format)), 20);
  const std::size_t frame = shrunk.find("\xFF\xC0");
  ASSERT_NE(frame, std::string::npos);
  for (const std::size_t component : {0U, 1U, 2U}) {
    EXPECT_EQ(shrunk.at(frame + 11 + component * 3), 0x11);
  }
}

TEST(ShrinkPicture, GreyStaysGrey) {
  const PictureFormat grey{1, 64, 40};
  EXPECT_EQ(picture_format(shrink_picture(png_file(grey, smooth(grey)), 10)), (PictureFormat{1, 16, 10}));
}

TEST(ShrinkPicture, IsUpright) {
  const PictureFormat format{3, 160, 120};
  const std::string file = jpeg_file(format, smooth(format), {.exif = ExifBlock{.orientation = 6}.bytes()});
  const std::string shrunk = shrink_picture(file, 60);
  EXPECT_EQ(picture_format(shrunk), (PictureFormat{3, 60, 80}));
  EXPECT_LT(mean_difference(read(shrunk, {3, 60, 80}), halved(file)), 2.0);
}

TEST(ShrinkPicture, LeavesSmallPicturesAsTheyAre) {
  const PictureFormat format{3, 20, 40};
  const std::string file = png_file(format, smooth(format));
  EXPECT_EQ(shrink_picture(file, 20), file);
  EXPECT_EQ(shrink_picture(file, 100), file);
}

class DamagedPictureTest : public testing::TestWithParam<bool> {
 protected:
  // Noise, so that the compressed data is most of the file.
  static std::string noise_file() {
    const PictureFormat format{3, 20, 20};
    RandomStream random(1, RandomPurpose::synthetic_data, {});
    Bytes pixels(1200);
    std::generate(pixels.begin(), pixels.end(), [&] { return static_cast<std::uint8_t>(random.next()); });
    return GetParam() ? jpeg_file(format, pixels) : png_file(format, pixels);
  }
};

TEST_P(DamagedPictureTest, EveryCutIsAnError) {
  const std::string whole = noise_file();
  ASSERT_NO_THROW(read(whole, {3, 20, 20}));
  for (std::size_t size = 0; size < whole.size(); size += 1 + whole.size() / 100) {
    EXPECT_THROW(read(whole.substr(0, size), {3, 20, 20}), InputError) << size;
  }
  EXPECT_THROW(read(whole.substr(0, whole.size() - 1), {3, 20, 20}), InputError);
}

TEST_P(DamagedPictureTest, SurvivesMutatedBytes) {
  const std::string whole = noise_file();
  RandomStream random(2, RandomPurpose::synthetic_data, {});
  int refused = 0;
  for (int round = 0; round < 300; ++round) {
    std::string file = whole;
    file[random.below(static_cast<std::uint32_t>(file.size()))] ^= static_cast<char>(1 + random.below(255));
    const Framing framing =
        round % 3 == 0 ? Framing::random(0.1, {1, RandomPurpose::augmentation, {}}) : Framing::whole();
    try {
      const PictureFormat format = picture_format(file);
      read(file, {3, 20, 20}, framing);
      EXPECT_GT(format.height, 0);
    } catch (const InputError& error) {
      EXPECT_GT(std::string(error.what()).size(), 5U);
      ++refused;
    }
  }
  // PNG has checksums everywhere; most changes of JPEG data give another valid picture.
  EXPECT_GE(refused, GetParam() ? 5 : 195);
}

INSTANTIATE_TEST_SUITE_P(Types, DamagedPictureTest, testing::Bool(),
                         [](const auto& parameter) { return parameter.param ? "Jpeg" : "Png"; });

}  // namespace
}  // namespace resist
