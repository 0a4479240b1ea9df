#include "resist/data/resample.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <vector>

#include "resist/core/error.h"
#include "resist/core/vectorised.h"

namespace resist {
namespace {

// Bits of the fraction of a weight of the first pass (down the columns), of a value between the passes, and of a weight
// of the second pass (along the rows): sums of weighted values stay below 2^31.
constexpr int kDownBits = 22;
constexpr int kBetweenBits = 6;
constexpr int kAlongBits = 16;

// Result pixel i is the sum of weights[i * taps + k] * source pixel first[i] + k. Weights are not negative, and each
// pixel's add up to exactly one, so that a picture of one colour keeps it and nothing has to be clamped.
struct Filter {
  int taps = 0;
  std::vector<int> first;
  std::vector<std::int32_t> weights;
};

// The pixels that a stretch of the source touches.
struct Touched {
  int begin;
  int end;
};

Touched touched(double begin, double length, int size) {
  return {.begin = std::max(0, static_cast<int>(std::floor(begin))),
          .end = std::min(size, static_cast<int>(std::ceil(begin + length)))};
}

void set_weights(double centre, double support, int bits, int first, std::span<std::int32_t> weights) {
  const auto triangle = [&](std::size_t tap) {
    return std::max(0.0, 1 - std::abs(first + static_cast<int>(tap) + 0.5 - centre) / support);
  };
  double sum = 0;
  for (std::size_t tap = 0; tap < weights.size(); ++tap) {
    sum += triangle(tap);
  }
  std::int32_t left = 1 << bits;
  for (std::size_t tap = 0; tap < weights.size(); ++tap) {
    weights[tap] = static_cast<std::int32_t>(std::lround(triangle(tap) / sum * (1 << bits)));
    left -= weights[tap];
  }
  *std::ranges::max_element(weights) += left;
}

// From `length` pixels of the source at `begin`, of which it has those touched, to `size` pixels.
Filter make_filter(double begin, double length, const Touched& source, int size, int bits) {
  const double scale = length / size;
  const double support = std::max(1.0, scale);
  const auto centre = [&](int i) { return begin + (i + 0.5) * scale; };
  Filter filter;
  for (int i = 0; i < size; ++i) {
    const int first = std::max(source.begin, static_cast<int>(std::floor(centre(i) - support + 0.5)));
    const int end = std::min(source.end, static_cast<int>(std::floor(centre(i) + support + 0.5)));
    filter.first.push_back(first);
    filter.taps = std::max(filter.taps, end - first);
  }
  filter.weights.resize(static_cast<std::size_t>(filter.taps) * filter.first.size());
  for (int i = 0; i < size; ++i) {
    int& first = filter.first[static_cast<std::size_t>(i)];
    first = std::min(first, source.end - filter.taps);  // all have as many taps; those too many weigh nothing
    const auto taps = static_cast<std::size_t>(filter.taps);
    set_weights(centre(i), support, bits, first,
                std::span(filter.weights).subspan(static_cast<std::size_t>(i) * taps, taps));
  }
  return filter;
}

// sums[i] = the weighted sum down column i, with kBetweenBits of fraction.
RESIST_VECTORISED void mix_rows(const std::uint8_t* __restrict rows, std::ptrdiff_t stride,
                                const std::int32_t* __restrict weights, int taps, std::ptrdiff_t values,
                                std::int32_t* __restrict sums) {
  constexpr int kShift = kDownBits - kBetweenBits;
  for (std::ptrdiff_t i = 0; i < values; ++i) {
    sums[i] = 1 << (kShift - 1);
  }
  for (int tap = 0; tap < taps; ++tap) {
    const std::uint8_t* __restrict row = rows + tap * stride;
    const std::int32_t weight = weights[tap];
    for (std::ptrdiff_t i = 0; i < values; ++i) {
      sums[i] += weight * row[i];
    }
  }
  for (std::ptrdiff_t i = 0; i < values; ++i) {
    sums[i] >>= kShift;
  }
}

// The channels of a pixel. Vectors have no three lanes: in the fourth the next pixel's first channel is computed along.
using Colour = std::int32_t __attribute__((vector_size(4 * sizeof(std::int32_t))));
using Grey = std::int32_t;

// Pixels lie anywhere, not where vectors would have to.
template <typename Pixel>
inline __attribute__((always_inline)) Pixel load(const std::int32_t* values) {
  Pixel pixel;
  std::memcpy(&pixel, values, sizeof pixel);
  return pixel;
}

constexpr int kRows = 4;  // of the result that are worked at once, since they have the same weights

// The weighted sums along kRows rows that lie `length` values apart; as many Pixels for each, one row after another.
template <typename Pixel, int kChannels>
inline __attribute__((always_inline)) void mix_columns(const std::int32_t* __restrict rows, std::ptrdiff_t length,
                                                       const Filter& filter, int origin,
                                                       std::int32_t* __restrict mixed) {
  constexpr int kShift = kAlongBits + kBetweenBits;
  constexpr std::ptrdiff_t kLanes = kChannels == 1 ? 1 : 4;
  const std::ptrdiff_t mixed_length = std::ssize(filter.first) * kLanes;
  const std::int32_t* weights = filter.weights.data();
  for (const int first : filter.first) {
    const std::int32_t* values = rows + (first - origin) * kChannels;
    Pixel sums[kRows];
    for (Pixel& sum : sums) {
      sum = Pixel{} + (1 << (kShift - 1));
    }
    for (int tap = 0; tap < filter.taps; ++tap, values += kChannels) {
      for (int row = 0; row < kRows; ++row) {
        sums[row] += weights[tap] * load<Pixel>(values + row * length);
      }
    }
    for (int row = 0; row < kRows; ++row) {
      const Pixel mean = sums[row] >> kShift;
      std::memcpy(mixed + row * mixed_length, &mean, sizeof mean);
    }
    mixed += kLanes;
    weights += filter.taps;
  }
}

RESIST_VECTORISED void mix_grey_columns(const std::int32_t* rows, std::ptrdiff_t length, const Filter& filter,
                                        int origin, std::int32_t* mixed) {
  mix_columns<Grey, 1>(rows, length, filter, origin, mixed);
}

RESIST_VECTORISED void mix_colour_columns(const std::int32_t* rows, std::ptrdiff_t length, const Filter& filter,
                                          int origin, std::int32_t* mixed) {
  mix_columns<Colour, 3>(rows, length, filter, origin, mixed);
}

// Every `step`th value.
RESIST_VECTORISED void narrow(const std::int32_t* __restrict values, std::ptrdiff_t step, std::ptrdiff_t count,
                              std::uint8_t* __restrict out) {
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    out[i] = static_cast<std::uint8_t>(values[i * step]);
  }
}

}  // namespace

void resample(const PixelRows& source, const FractionalBox& box, const PictureSize& size, std::span<std::uint8_t> out) {
  const std::size_t plane = static_cast<std::size_t>(size.height) * static_cast<std::size_t>(size.width);
  const Touched rows = touched(box.top, box.height, source.height);
  const Touched columns = touched(box.left, box.width, source.width);
  if ((source.channels != 1 && source.channels != 3) || plane == 0 ||
      out.size() != plane * static_cast<std::size_t>(source.channels) || rows.begin >= rows.end ||
      columns.begin >= columns.end) {
    throw Error(fmt::format("can't resample {}x{} pixels at {}, {} of {}x{}x{} to {}x{} in {} bytes", box.height,
                            box.width, box.top, box.left, source.channels, source.height, source.width, size.height,
                            size.width, out.size()));
  }
  const Filter down = make_filter(box.top, box.height, rows, size.height, kDownBits);
  const Filter along = make_filter(box.left, box.width, columns, size.width, kAlongBits);
  const std::ptrdiff_t stride = std::ptrdiff_t{source.width} * source.channels;
  const std::ptrdiff_t values = std::ptrdiff_t{columns.end - columns.begin} * source.channels;
  const std::uint8_t* corner = source.pixels + std::ptrdiff_t{columns.begin} * source.channels;
  const bool is_grey = source.channels == 1;
  const std::ptrdiff_t lanes = is_grey ? 1 : 4;
  const std::ptrdiff_t length = values + lanes - source.channels;
  std::vector<std::int32_t> between(static_cast<std::size_t>(kRows * length));
  std::vector<std::int32_t> mixed(static_cast<std::size_t>(kRows * size.width * lanes));
  for (int top = 0; top < size.height; top += kRows) {
    const int bottom = std::min(top + kRows, size.height);
    for (int y = top; y < bottom; ++y) {
      mix_rows(corner + down.first[static_cast<std::size_t>(y)] * stride, stride, down.weights.data() + y * down.taps,
               down.taps, values, between.data() + (y - top) * length);
    }
    const auto mix = is_grey ? mix_grey_columns : mix_colour_columns;
    mix(between.data(), length, along, columns.begin, mixed.data());
    for (int y = top; y < bottom; ++y) {
      for (int channel = 0; channel < source.channels; ++channel) {
        narrow(mixed.data() + (y - top) * size.width * lanes + channel, lanes, size.width,
               out.data() + (std::ptrdiff_t{channel} * size.height + y) * size.width);
      }
    }
  }
}

std::span<const std::uint8_t> frame_pixels(std::span<const std::uint8_t> picture, const PictureSize& size,
                                           const Framing& framing, const PictureSize& input,
                                           std::span<std::uint8_t> buffer) {
  const std::size_t plane = static_cast<std::size_t>(size.height) * static_cast<std::size_t>(size.width);
  const std::size_t input_plane = static_cast<std::size_t>(input.height) * static_cast<std::size_t>(input.width);
  if (plane == 0 || picture.size() % plane != 0 || buffer.size() != picture.size() / plane * input_plane) {
    throw Error(fmt::format("can't make {} bytes of {}x{} pixels of {} bytes of {}x{} pixels", buffer.size(),
                            input.height, input.width, picture.size(), size.height, size.width));
  }
  const PictureBox box = framing.box(size, input);
  if (size == input && box == PictureBox{.top = 0, .left = 0, .height = size.height, .width = size.width}) {
    return picture;
  }
  const FractionalBox part{.top = static_cast<double>(box.top),
                           .left = static_cast<double>(box.left),
                           .height = static_cast<double>(box.height),
                           .width = static_cast<double>(box.width)};
  for (std::size_t channel = 0; channel < picture.size() / plane; ++channel) {
    resample({.pixels = picture.data() + channel * plane, .height = size.height, .width = size.width, .channels = 1},
             part, input, buffer.subspan(channel * input_plane, input_plane));
  }
  return buffer;
}

}  // namespace resist
