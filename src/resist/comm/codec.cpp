#include "resist/comm/codec.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "resist/core/vectorised.h"

// Contraction is off for this file, so that every processor gives the same bits.

namespace resist {
namespace {

constexpr int kExponentBias = 127;
constexpr std::uint8_t kNotFinite = 255;
constexpr int kLeastExponent = -126;

using Quantised = std::array<std::uint8_t, kCodecChunk>;

int bits_of(WireFormat format) {
  switch (format) {
    case WireFormat::float32:
      return 32;
    case WireFormat::bf16:
      return 16;
    case WireFormat::int8:
      return 8;
    case WireFormat::int6:
      return 6;
    case WireFormat::int4:
      return 4;
  }
  return 0;
}

std::int64_t packed_size(int bits, std::int64_t count) {
  return (count * bits + 7) / 8;
}

// 32 random bits of element `index`: an integer hash with full avalanche ("lowbias32", public domain), keyed before and
// between its rounds. The counter-based generator of core makes the key; ten rounds of it for every element would take
// longer than the encoding.
inline std::uint32_t random_bits(std::uint32_t key_low, std::uint32_t key_high, std::uint32_t index) {
  std::uint32_t x = index ^ key_low;
  x ^= x >> 16U;
  x *= 0x7FEB352DU;
  x ^= (x >> 15U) ^ key_high;
  x *= 0x846CA68BU;
  x ^= x >> 16U;
  return x;
}

RESIST_VECTORISED
void encode_bf16(const float* values, std::int64_t count, std::uint64_t key, std::uint32_t first, std::uint16_t* out) {
  const auto low = static_cast<std::uint32_t>(key);
  const auto high = static_cast<std::uint32_t>(key >> 32U);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(values[i]);
    const std::uint32_t noise = random_bits(low, high, first + static_cast<std::uint32_t>(i)) & 0xFFFFU;
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    // Infinity must not be carried over into something else, and an undefined value stays one when its end is cut off.
    const std::uint32_t special = magnitude > 0x7F800000U ? bits | 0x00400000U : bits;
    out[i] = static_cast<std::uint16_t>((magnitude < 0x7F800000U ? bits + noise : special) >> 16U);
  }
}

void decode_bf16(const std::byte* encoded, std::span<float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, encoded + 2 * i, sizeof bits);
    values[i] = std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
  }
}

RESIST_VECTORISED
std::uint32_t largest_magnitude_bits(const float* values, std::int64_t count) {
  std::uint32_t largest = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(values[i]) & 0x7FFFFFFFU);
  }
  return largest;
}

// value * inverse_scale, rounded towards zero or away from it at random, plus `offset`.
RESIST_VECTORISED
void quantise(const float* values, std::int64_t count, float inverse_scale, std::int32_t offset, std::uint64_t key,
              std::uint32_t first, std::uint8_t* out) {
  const auto low = static_cast<std::uint32_t>(key);
  const auto high = static_cast<std::uint32_t>(key >> 32U);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t random = random_bits(low, high, first + static_cast<std::uint32_t>(i)) >> 8U;
    const float noise = static_cast<float>(static_cast<std::int32_t>(random)) * 0x1p-24F;
    const float scaled = values[i] * inverse_scale;  // exact
    const auto whole = static_cast<std::int32_t>(scaled);
    const float fraction = scaled - static_cast<float>(whole);
    const std::int32_t away = fraction < 0 ? -1 : 1;
    out[i] = static_cast<std::uint8_t>(whole + (noise < std::fabs(fraction) ? away : 0) + offset);
  }
}

void pack(int bits, const Quantised& numbers, std::int64_t count, std::byte* out) {
  auto* bytes = reinterpret_cast<std::uint8_t*>(out);
  const std::int64_t size = packed_size(bits, count);
  if (bits == 8) {
    std::memcpy(bytes, numbers.data(), static_cast<std::size_t>(size));
  } else if (bits == 4) {
    for (std::int64_t i = 0; i < size; ++i) {
      bytes[i] = static_cast<std::uint8_t>(numbers[2 * i] | (numbers[2 * i + 1] << 4U));
    }
  } else {
    std::array<std::uint8_t, kCodecChunk / 4 * 3> whole{};
    for (std::int64_t group = 0; group < kCodecChunk / 4; ++group) {
      const std::uint8_t* n = numbers.data() + 4 * group;
      whole[3 * group] = static_cast<std::uint8_t>(n[0] | (n[1] << 6U));
      whole[3 * group + 1] = static_cast<std::uint8_t>((n[1] >> 2U) | (n[2] << 4U));
      whole[3 * group + 2] = static_cast<std::uint8_t>((n[2] >> 4U) | (n[3] << 2U));
    }
    std::memcpy(bytes, whole.data(), static_cast<std::size_t>(size));
  }
}

void unpack(int bits, const std::byte* in, std::int64_t count, Quantised& numbers) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(in);
  const std::int64_t size = packed_size(bits, count);
  if (bits == 8) {
    std::memcpy(numbers.data(), bytes, static_cast<std::size_t>(size));
  } else if (bits == 4) {
    for (std::int64_t i = 0; i < size; ++i) {
      numbers[2 * i] = bytes[i] & 15U;
      numbers[2 * i + 1] = bytes[i] >> 4U;
    }
  } else {
    std::array<std::uint8_t, kCodecChunk / 4 * 3> whole{};
    std::memcpy(whole.data(), bytes, static_cast<std::size_t>(size));
    for (std::int64_t group = 0; group < kCodecChunk / 4; ++group) {
      const std::uint8_t* b = whole.data() + 3 * group;
      std::uint8_t* n = numbers.data() + 4 * group;
      n[0] = b[0] & 63U;
      n[1] = static_cast<std::uint8_t>((b[0] >> 6U) | ((b[1] & 15U) << 2U));
      n[2] = static_cast<std::uint8_t>((b[1] >> 4U) | ((b[2] & 3U) << 4U));
      n[3] = b[2] >> 2U;
    }
  }
}

// The least exponent e with magnitude <= limit * 2^e.
int common_exponent(double magnitude, int limit) {
  int exponent = 0;
  const double fraction = std::frexp(magnitude / limit, &exponent);  // in [0.5, 1)
  return std::max(kLeastExponent, fraction == 0.5 ? exponent - 1 : exponent);
}

void encode_chunk(int bits, std::span<const float> values, std::uint64_t key, std::uint32_t first, std::byte* out) {
  const auto count = static_cast<std::int64_t>(values.size());
  const int limit = (1 << (bits - 1)) - 1;
  const auto magnitude = std::bit_cast<float>(largest_magnitude_bits(values.data(), count));
  Quantised numbers{};
  std::uint8_t code = kNotFinite;
  if (std::isfinite(magnitude)) {
    const int exponent = magnitude == 0 ? kLeastExponent : common_exponent(magnitude, limit);
    code = static_cast<std::uint8_t>(exponent + kExponentBias);
    quantise(values.data(), count, std::ldexp(1.0F, -exponent), limit + 1, key, first, numbers.data());
  }
  out[0] = static_cast<std::byte>(code);
  pack(bits, numbers, count, out + 1);
}

void decode_chunk(int bits, const std::byte* encoded, std::span<float> values) {
  const auto code = static_cast<std::uint8_t>(encoded[0]);
  if (code == kNotFinite) {
    std::ranges::fill(values, std::numeric_limits<float>::quiet_NaN());
    return;
  }
  Quantised numbers{};
  unpack(bits, encoded + 1, static_cast<std::int64_t>(values.size()), numbers);
  const float scale = std::ldexp(1.0F, code - kExponentBias);
  const int offset = 1 << (bits - 1);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(static_cast<int>(numbers[i]) - offset) * scale;
  }
}

}  // namespace

std::int64_t encoded_size(WireFormat format, std::int64_t count) {
  const int bits = bits_of(format);
  if (bits >= 16) {
    return count * bits / 8;
  }
  const std::int64_t rest = count % kCodecChunk;
  return count / kCodecChunk * (1 + packed_size(bits, kCodecChunk)) + (rest > 0 ? 1 + packed_size(bits, rest) : 0);
}

void encode(WireFormat format, std::span<const float> values, std::uint64_t key, std::int64_t first, std::byte* out) {
  const int bits = bits_of(format);
  if (format == WireFormat::float32) {
    std::memcpy(out, values.data(), values.size_bytes());
  } else if (format == WireFormat::bf16) {
    std::array<std::uint16_t, kCodecChunk> numbers;
    for (std::size_t done = 0; done < values.size(); done += kCodecChunk) {
      const std::size_t count = std::min<std::size_t>(kCodecChunk, values.size() - done);
      encode_bf16(values.data() + done, static_cast<std::int64_t>(count), key,
                  static_cast<std::uint32_t>(first + static_cast<std::int64_t>(done)), numbers.data());
      std::memcpy(out + 2 * done, numbers.data(), 2 * count);
    }
  } else {
    for (std::size_t done = 0; done < values.size(); done += kCodecChunk) {
      const std::size_t count = std::min<std::size_t>(kCodecChunk, values.size() - done);
      encode_chunk(bits, values.subspan(done, count), key,
                   static_cast<std::uint32_t>(first + static_cast<std::int64_t>(done)), out);
      out += 1 + packed_size(bits, static_cast<std::int64_t>(count));
    }
  }
}

void decode(WireFormat format, const std::byte* encoded, std::span<float> values) {
  const int bits = bits_of(format);
  if (format == WireFormat::float32) {
    std::memcpy(values.data(), encoded, values.size_bytes());
  } else if (format == WireFormat::bf16) {
    decode_bf16(encoded, values);
  } else {
    for (std::size_t done = 0; done < values.size(); done += kCodecChunk) {
      const std::size_t count = std::min<std::size_t>(kCodecChunk, values.size() - done);
      decode_chunk(bits, encoded, values.subspan(done, count));
      encoded += 1 + packed_size(bits, static_cast<std::int64_t>(count));
    }
  }
}

}  // namespace resist
