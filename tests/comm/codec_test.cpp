#include "resist/comm/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace resist {
namespace {

constexpr std::array kBlockFormats = {WireFormat::int8, WireFormat::int6, WireFormat::int4};
constexpr std::array kRoundingFormats = {WireFormat::bf16, WireFormat::int8, WireFormat::int6, WireFormat::int4};
constexpr std::array kFormats = {WireFormat::float32, WireFormat::bf16, WireFormat::int8, WireFormat::int6,
                                 WireFormat::int4};
constexpr std::size_t kChunk = kCodecChunk;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<std::byte> encoded(WireFormat format, std::span<const float> values, std::uint64_t key,
                               std::int64_t first = 0) {
  std::vector<std::byte> bytes(encoded_size(format, static_cast<std::int64_t>(values.size())));
  encode(format, values, key, first, bytes.data());
  return bytes;
}

std::vector<float> handed_over(WireFormat format, std::span<const float> values, std::uint64_t key) {
  std::vector<float> result(values.size());
  decode(format, encoded(format, values, key).data(), result);
  return result;
}

// Tells also zeros of either sign and NaNs apart.
std::vector<std::uint32_t> bit_patterns(const std::vector<float>& values) {
  std::vector<std::uint32_t> result;
  for (const float value : values) {
    result.push_back(std::bit_cast<std::uint32_t>(value));
  }
  return result;
}

// Normally distributed, of another magnitude in every chunk.
std::vector<float> random_values(int count) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<float> result(count);
  for (int i = 0; i < count; ++i) {
    result[i] = std::ldexp(normal(generator), static_cast<int>(i / kCodecChunk) * 5 - 20);
  }
  return result;
}

// The chunk that element `index` is in.
std::span<const float> chunk_of(std::span<const float> values, std::size_t index) {
  const std::size_t begin = index / kChunk * kChunk;
  return values.subspan(begin, std::min(kChunk, values.size() - begin));
}

// The largest whole number of a block format.
float limit(WireFormat format) {
  return format == WireFormat::int8 ? 127.0F : format == WireFormat::int6 ? 31.0F : 7.0F;
}

// How far apart the numbers are that `format` can say around `value`, an element of `chunk`.
double step_at(WireFormat format, std::span<const float> chunk, float value) {
  if (format == WireFormat::bf16) {
    return std::ldexp(1.0, std::max(std::ilogb(value), -126) - 7);
  }
  double largest = 0;
  for (const float element : chunk) {
    largest = std::max(largest, std::fabs(double{element}));
  }
  double step = 0x1p-126;
  while (limit(format) * step < largest) {
    step *= 2;
  }
  return step;
}

// Encoded sizes of 0, 1, 127, 128, 129 and 1000 values.
using Sizes = std::vector<std::int64_t>;

Sizes sizes(WireFormat format) {
  Sizes result;
  for (const std::int64_t count : {0, 1, 127, 128, 129, 1000}) {
    result.push_back(encoded_size(format, count));
  }
  return result;
}

TEST(WireCodec, AChunkCostsItsBitsAndOneByteForTheScale) {
  EXPECT_EQ(sizes(WireFormat::float32), (Sizes{0, 4, 508, 512, 516, 4000}));
  EXPECT_EQ(sizes(WireFormat::bf16), (Sizes{0, 2, 254, 256, 258, 2000}));
  EXPECT_EQ(sizes(WireFormat::int8), (Sizes{0, 2, 128, 129, 131, 1008}));
  EXPECT_EQ(sizes(WireFormat::int6), (Sizes{0, 2, 97, 97, 99, 758}));
  EXPECT_EQ(sizes(WireFormat::int4), (Sizes{0, 2, 65, 65, 67, 508}));
}

TEST(WireCodec, Float32TravelsBitForBit) {
  std::vector<float> values = random_values(1000);
  values.insert(values.end(), {-0.0F, 1e-40F, std::numeric_limits<float>::max(), -kInfinity, kNaN});
  EXPECT_EQ(bit_patterns(handed_over(WireFormat::float32, values, 1)), bit_patterns(values));
}

TEST(WireCodec, WhatWasDecodedOnceIsEncodedAgainWithoutLoss) {
  for (const WireFormat format : kRoundingFormats) {
    SCOPED_TRACE(static_cast<int>(format));
    // The second one's largest magnitude is rounded to numbers of different scales.
    for (const auto& values : {random_values(1000), std::vector<float>{limit(format) + 0.5F, 0.3F, -5, 3}}) {
      for (std::uint64_t key = 0; key < 20; ++key) {
        const std::vector<float> once = handed_over(format, values, key);
        EXPECT_EQ(bit_patterns(handed_over(format, once, key + 1000)), bit_patterns(once)) << "key " << key;
      }
    }
  }
}

TEST(WireCodec, NoValueMovesByMoreThanAStep) {
  const std::vector<float> values = random_values(1000);
  for (const WireFormat format : kRoundingFormats) {
    SCOPED_TRACE(static_cast<int>(format));
    const std::vector<float> result = handed_over(format, values, 5);
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_NEAR(result[i], values[i], step_at(format, chunk_of(values, i), values[i])) << i;
    }
  }
}

TEST(WireCodec, TinyAndHugeValuesMoveByNoMoreThanAStepEither) {
  for (const WireFormat format : kRoundingFormats) {
    SCOPED_TRACE(static_cast<int>(format));
    for (const float value : {1e-40F, -1e-40F, 1e-38F, 2.9e38F, -2.9e38F}) {
      const std::vector<float> values = {value, 0};
      for (std::uint64_t key = 0; key < 20; ++key) {
        EXPECT_NEAR(handed_over(format, values, key)[0], value, step_at(format, values, value)) << "key " << key;
      }
    }
  }
}

TEST(WireCodec, ZerosStayZero) {
  std::vector<float> every_third = random_values(1000);
  for (std::size_t i = 0; i < every_third.size(); i += 3) {
    every_third[i] = 0;
  }
  for (const WireFormat format : kFormats) {
    SCOPED_TRACE(static_cast<int>(format));
    EXPECT_EQ(handed_over(format, std::vector<float>(300), 1), std::vector<float>(300));
    const std::vector<float> result = handed_over(format, every_third, 1);
    for (std::size_t i = 0; i < result.size(); i += 3) {
      EXPECT_EQ(result[i], 0) << i;
    }
  }
}

TEST(WireCodec, AChunksLargestMagnitudeFitsItsScale) {
  for (const WireFormat format : kBlockFormats) {
    SCOPED_TRACE(static_cast<int>(format));
    for (const int exponent : {-126, -60, 0, 60, 119}) {
      const float largest = std::ldexp(limit(format), exponent);
      const float more = std::nextafter(largest, kInfinity);
      for (std::uint64_t key = 0; key < 20; ++key) {
        const std::vector<float> exact = handed_over(format, std::vector<float>{largest, -largest, largest / 3}, key);
        EXPECT_EQ(exact[0], largest);
        EXPECT_EQ(exact[1], -largest);
        EXPECT_NEAR(exact[2], largest / 3, std::ldexp(1.0, exponent));
        const std::vector<float> coarser = handed_over(format, std::vector<float>{more, -more}, key);
        EXPECT_NEAR(coarser[0], more, std::ldexp(2.0, exponent));
        EXPECT_NEAR(coarser[1], -more, std::ldexp(2.0, exponent));
      }
    }
  }
}

TEST(WireCodec, RoundingHasNoBias) {
  constexpr int kKeys = 4096;
  const std::vector<float> values = {1, 0.9F, 0.3F, 0.011F, -0.0007F, -0.26F, -0.77F, 1e-5F};
  for (const WireFormat format : kRoundingFormats) {
    SCOPED_TRACE(static_cast<int>(format));
    std::mt19937_64 keys(2);
    std::vector<double> sums(values.size());
    for (int i = 0; i < kKeys; ++i) {
      const std::vector<float> result = handed_over(format, values, keys());
      for (std::size_t element = 0; element < values.size(); ++element) {
        sums[element] += result[element];
      }
    }
    for (std::size_t element = 0; element < values.size(); ++element) {
      // One rounding's standard deviation is half a step at most.
      const double standard_error = step_at(format, values, values[element]) / 2 / std::sqrt(kKeys);
      EXPECT_NEAR(sums[element] / kKeys, values[element], 5 * standard_error);
    }
  }
}

TEST(WireCodec, ARangeMayBeCutBetweenChunks) {
  constexpr std::int64_t kFirst = 256;
  const std::vector<std::pair<std::int64_t, std::int64_t>> pieces = {{0, 128}, {128, 640}, {640, 1000}};
  const std::vector<float> values = random_values(1000);
  for (const WireFormat format : kFormats) {
    SCOPED_TRACE(static_cast<int>(format));
    const std::vector<std::byte> whole = encoded(format, values, 3, kFirst);
    std::vector<std::byte> together(whole.size());
    for (const auto& [begin, end] : pieces) {
      encode(format, std::span(values).subspan(begin, end - begin), 3, kFirst + begin,
             together.data() + encoded_size(format, begin));
    }
    EXPECT_EQ(together, whole);
  }
}

TEST(WireCodec, KeyAndIndexDecideTheRounding) {
  const std::vector<float> values = random_values(1000);
  for (const WireFormat format : kRoundingFormats) {
    SCOPED_TRACE(static_cast<int>(format));
    const std::vector<std::byte> bytes = encoded(format, values, 1);
    EXPECT_EQ(encoded(format, values, 1), bytes);
    EXPECT_NE(encoded(format, values, 2), bytes);
    EXPECT_NE(encoded(format, values, 1 + (std::uint64_t{1} << 32U)), bytes);
    EXPECT_NE(encoded(format, values, 1, kCodecChunk), bytes);
  }
}

TEST(WireCodec, AChunkThatIsNotFiniteBecomesNaNAndNoOtherDoes) {
  for (const WireFormat format : kBlockFormats) {
    SCOPED_TRACE(static_cast<int>(format));
    for (const float bad : {kNaN, kInfinity, -kInfinity}) {
      std::vector<float> values = random_values(3 * kCodecChunk);
      values[kChunk + 2] = bad;
      const std::vector<float> result = handed_over(format, values, 1);
      for (std::size_t i = 0; i < values.size(); ++i) {
        EXPECT_EQ(std::isnan(result[i]), i / kChunk == 1) << i;
      }
    }
  }
}

TEST(WireCodec, Bf16NeverMakesANumberOfWhatIsNone) {
  // Infinities, a NaN whose upper half alone would be infinite, and NaNs that rounding up would carry over into zero.
  for (const std::uint32_t bits : {0x7F800000U, 0xFF800000U, 0x7F800001U, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
    const auto bad = std::bit_cast<float>(bits);
    const std::vector<float> values = {1, bad, -1};
    for (std::uint64_t key = 0; key < 20; ++key) {
      const std::vector<float> result = handed_over(WireFormat::bf16, values, key);
      EXPECT_EQ(result[0], 1);
      EXPECT_EQ(result[2], -1);
      EXPECT_FALSE(std::isfinite(result[1])) << bits;
      EXPECT_TRUE(std::isnan(result[1]) || !std::isnan(bad)) << bits;
    }
  }
}

TEST(WireCodec, ABlockHandedOver200TimesBetweenSmallUpdatesStaysNear) {
  constexpr int kHandovers = 200;
  constexpr std::size_t kCount = 4096;
  std::mt19937 generator(3);
  std::mt19937_64 keys(4);
  std::normal_distribution<float> normal;
  std::vector<float> start(kCount);
  std::vector<float> update(kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    start[i] = normal(generator);
    update[i] = 1e-3F * normal(generator);
  }
  std::vector<float> held = handed_over(WireFormat::int8, start, keys());
  std::vector<double> exact(held.begin(), held.end());
  double bound = 0;         // of the mean square error: a value on the grid of step s, moved by u, is rounded by |u| s
  double from_scratch = 0;  // what it would be if values lay anywhere between the grid's points each time: s^2 / 6
  for (int handover = 0; handover < kHandovers; ++handover) {
    for (std::size_t i = 0; i < kCount; ++i) {
      held[i] += update[i];
      exact[i] += update[i];
    }
    for (std::size_t begin = 0; begin < kCount; begin += kChunk) {
      const double step = step_at(WireFormat::int8, chunk_of(held, begin), held[begin]);
      for (std::size_t i = begin; i < begin + kChunk; ++i) {
        bound += std::fabs(update[i]) * step / kCount;
        from_scratch += step * step / 6 / kCount;
      }
    }
    held = handed_over(WireFormat::int8, held, keys());
  }
  double error = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    error += (held[i] - exact[i]) * (held[i] - exact[i]) / kCount;
  }
  EXPECT_LT(std::sqrt(error), 1.5 * std::sqrt(bound));
  EXPECT_LT(std::sqrt(error), 0.5 * std::sqrt(from_scratch));
}

}  // namespace
}  // namespace resist
