#include "resist/data/resample.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "resist/core/error.h"
#include "resist/core/random.h"

namespace resist {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes noise(int values) {
  RandomStream random(1, RandomPurpose::synthetic_data, {});
  Bytes bytes(static_cast<std::size_t>(values));
  std::ranges::generate(bytes, [&] { return static_cast<std::uint8_t>(random.next()); });
  return bytes;
}

// The weight of source pixel `pixel` in result pixel `i`, before they are made to add up to one.
double weight(int pixel, int i, double begin, double length, int size, int source_size) {
  const bool touched = pixel >= std::floor(begin) && pixel < std::min<double>(std::ceil(begin + length), source_size);
  const double scale = length / size;
  const double centre = begin + (i + 0.5) * scale;
  return touched ? std::max(0.0, 1 - std::abs(pixel + 0.5 - centre) / std::max(1.0, scale)) : 0;
}

// The definition, in double precision and without any order of passes.
std::vector<double> oracle(const PixelRows& source, const FractionalBox& box, const PictureSize& size) {
  std::vector<double> out;
  for (int channel = 0; channel < source.channels; ++channel) {
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        double sum = 0;
        double weights = 0;
        for (int row = 0; row < source.height; ++row) {
          const double down = weight(row, y, box.top, box.height, size.height, source.height);
          for (int column = 0; down > 0 && column < source.width; ++column) {
            const double both = down * weight(column, x, box.left, box.width, size.width, source.width);
            sum += both * source.pixels[(row * source.width + column) * source.channels + channel];
            weights += both;
          }
        }
        out.push_back(sum / weights);
      }
    }
  }
  return out;
}

Bytes resampled(const PixelRows& source, const FractionalBox& box, const PictureSize& size) {
  Bytes out(static_cast<std::size_t>(source.channels * size.height * size.width));
  resample(source, box, size, out);
  return out;
}

TEST(Resample, IsTheRoundedDefinition) {
  const Bytes pixels = noise(3 * 31 * 23);
  for (const int channels : {1, 3}) {
    const PixelRows source{.pixels = pixels.data(), .height = 31, .width = 23, .channels = channels};
    for (const FractionalBox& box :
         {FractionalBox{0, 0, 31, 23}, FractionalBox{7, 5, 20, 11}, FractionalBox{0.25, 3.5, 29.125, 18.75},
          FractionalBox{30, 22, 1, 1}, FractionalBox{12.5, 11.125, 0.5, 7.75}}) {
      for (const PictureSize size :
           {PictureSize{31, 23}, PictureSize{10, 9}, PictureSize{3, 17}, PictureSize{1, 1}, PictureSize{40, 32}}) {
        const std::vector<double> expected = oracle(source, box, size);
        const Bytes got = resampled(source, box, size);
        ASSERT_EQ(got.size(), expected.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
          ASSERT_NEAR(got[i], expected[i], 0.52) << "value " << i << " of " << size.height << "x" << size.width;
        }
      }
    }
  }
}

// Image.resize(..., BILINEAR) of Pillow 13.0, which rounds between its passes.
TEST(Resample, IsPillowsUpToOneLevel) {
  const Bytes pixels = {0, 255, 10, 200, 30, 90, 250, 5};
  const PixelRows row{.pixels = pixels.data(), .height = 1, .width = 8, .channels = 1};
  const PixelRows column{.pixels = pixels.data(), .height = 8, .width = 1, .channels = 1};
  for (const Bytes& expected : {Bytes{119, 100, 124}, Bytes{0, 108, 246, 95, 61, 178, 115, 37, 74, 145, 244, 109, 5}}) {
    const int size = static_cast<int>(expected.size());
    const Bytes wide = resampled(row, {0, 0, 1, 8}, {1, size});
    EXPECT_EQ(resampled(column, {0, 0, 8, 1}, {size, 1}), wide);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(wide.at(i), expected[i], 1) << i;
    }
  }
}

TEST(Resample, CopiesWhatHasTheSizeAlready) {
  const Bytes pixels = noise(3 * 9 * 8);
  const PixelRows source{.pixels = pixels.data(), .height = 9, .width = 8, .channels = 3};
  const Bytes got = resampled(source, {2, 3, 5, 4}, {5, 4});
  for (std::size_t y = 0; y < 5; ++y) {
    for (std::size_t x = 0; x < 4; ++x) {
      for (std::size_t channel = 0; channel < 3; ++channel) {
        EXPECT_EQ(got[channel * 20 + y * 4 + x], pixels[((y + 2) * 8 + x + 3) * 3 + channel]);
      }
    }
  }
}

TEST(Resample, OneColourStaysExactlyThat) {
  for (const int colour : {0, 1, 128, 254, 255}) {
    const Bytes pixels(std::size_t{3} * 97 * 89, static_cast<std::uint8_t>(colour));
    const PixelRows source{.pixels = pixels.data(), .height = 97, .width = 89, .channels = 3};
    for (const PictureSize size : {PictureSize{3, 5}, PictureSize{64, 64}, PictureSize{130, 97}}) {
      const Bytes got = resampled(source, {1.5, 0.25, 90, 88.125}, size);
      EXPECT_EQ(got, Bytes(got.size(), static_cast<std::uint8_t>(colour)));
    }
  }
}

TEST(Resample, WhatTheBoxDoesNotTouchHasNoPartInIt) {
  Bytes pixels(std::size_t{20} * 20, 255);
  for (std::size_t y = 5; y < 15; ++y) {
    std::fill_n(pixels.begin() + static_cast<std::ptrdiff_t>(y * 20 + 4), 8, std::uint8_t{40});
  }
  const PixelRows source{.pixels = pixels.data(), .height = 20, .width = 20, .channels = 1};
  EXPECT_EQ(resampled(source, {5.5, 4.25, 9, 7.5}, {3, 3}), Bytes(9, 40));
}

TEST(Resample, RefusesBoxesAndBuffersThatDoNotFit) {
  const Bytes pixels = noise(25);
  const PixelRows source{.pixels = pixels.data(), .height = 5, .width = 5, .channels = 1};
  Bytes out(4);
  EXPECT_THROW(resample(source, {0, 0, 5, 5}, {2, 3}, out), Error);
  EXPECT_THROW(resample(source, {5, 0, 2, 2}, {2, 2}, out), Error);
  EXPECT_THROW(resample(source, {0, 0, 5, 5}, {0, 2}, out), Error);
  EXPECT_THROW(resample({.pixels = pixels.data(), .height = 5, .width = 2, .channels = 2}, {0, 0, 5, 2}, {1, 2}, out),
               Error);
}

TEST(FramePixels, GivesAWholePictureOfTheInputsSizeAsItIs) {
  const Bytes pixels = noise(2 * 3 * 4);
  Bytes out(pixels.size());
  const auto framed = frame_pixels(pixels, {3, 4}, Framing::whole(), {3, 4}, out);
  EXPECT_EQ(framed.data(), pixels.data());
  EXPECT_EQ(framed.size(), pixels.size());
}

TEST(FramePixels, ResamplesThePartOfEachChannel) {
  const Bytes pixels = noise(2 * 16 * 12);
  const Framing framing = Framing::random(0.2, RandomStream(1, RandomPurpose::augmentation, {}));
  const PictureBox box = framing.box({16, 12}, {5, 6});
  Bytes out(std::size_t{2} * 5 * 6);
  EXPECT_EQ(frame_pixels(pixels, {16, 12}, framing, {5, 6}, out).data(), out.data());
  for (std::size_t channel = 0; channel < 2; ++channel) {
    const PixelRows plane{.pixels = pixels.data() + channel * 192, .height = 16, .width = 12, .channels = 1};
    const FractionalBox part{static_cast<double>(box.top), static_cast<double>(box.left),
                             static_cast<double>(box.height), static_cast<double>(box.width)};
    const Bytes expected = resampled(plane, part, {5, 6});
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), out.begin() + static_cast<std::ptrdiff_t>(channel * 30)));
  }
}

TEST(FramePixels, RefusesBuffersThatDoNotFit) {
  const Bytes pixels = noise(24);
  Bytes out(24);
  EXPECT_THROW(frame_pixels(pixels, {5, 5}, Framing::whole(), {5, 5}, out), Error);
  EXPECT_THROW(frame_pixels(pixels, {3, 4}, Framing::centre(), {2, 2}, out), Error);
}

}  // namespace
}  // namespace resist
