#pragma once

#include <bit>
#include <cstdint>

namespace resist {

// A value in bf16, by its bits: the upper half of a float32.
using Bf16 = std::uint16_t;

inline float widened(float value) {
  return value;
}

inline float widened(Bf16 value) {
  return std::bit_cast<float>(std::uint32_t{value} << 16U);
}

// To the nearest, ties to even. What is not a number stays that.
template <typename Value>
inline Value rounded_to(float value);

template <>
inline float rounded_to<float>(float value) {
  return value;
}

template <>
inline Bf16 rounded_to<Bf16>(float value) {
  constexpr Bf16 kNotANumber = 0x7FC0;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto nearest = static_cast<Bf16>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
  return value == value ? nearest : kNotANumber;
}

}  // namespace resist
