#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace resist {

// How float32 values travel. Rounding is stochastic and without bias: a value between two that can be said becomes the
// upper one with the probability of its distance from the lower one. Values that can be said exactly always stay as
// they are, so what was decoded once can be encoded again without any loss.
//   bf16            the upper half of a float32.
//   int8 int6 int4  n-bit whole numbers times a power of two that a chunk of values has in common: the least one that
//                   fits the chunk's largest magnitude (block floating point). A power of two, since its finer and
//                   coarser neighbours share its points: a chunk that changes little from one sending to the next is
//                   rounded little, also when its scale changes.
enum class WireFormat { float32, bf16, int8, int6, int4 };

// Values that share a scale. A range that is encoded in pieces must be cut at multiples of this.
inline constexpr std::int64_t kCodecChunk = 128;

// Bytes that `count` values take on the wire.
std::int64_t encoded_size(WireFormat format, std::int64_t count);

// Encodes `values`, elements `first` .. of something, into encoded_size bytes at `out`. The rounding is a pure function
// of `key` and an element's index, so it depends neither on threads nor on how a range is cut. A chunk with a value
// that is not finite is decoded as NaN (bf16: the value alone); values within a step of the largest float may become
// infinite.
void encode(WireFormat format, std::span<const float> values, std::uint64_t key, std::int64_t first, std::byte* out);

// The values that `encoded` says; as many as `values` has room for.
void decode(WireFormat format, const std::byte* encoded, std::span<float> values);

}  // namespace resist
