#pragma once

#include <cstdint>
#include <span>

#include "resist/data/framing.h"

namespace resist {

// A rectangle of a picture whose bounds may lie within pixels.
struct FractionalBox {
  double top = 0;
  double left = 0;
  double height = 0;
  double width = 0;
};

// Pixels row by row, the channels (1 or 3) of a pixel together. Does not own them.
struct PixelRows {
  const std::uint8_t* pixels;
  int height;
  int width;
  int channels;
};

// Writes `box` of `source` at `size`, channel by channel: size.height * size.width * channels values. The filter is
// Pillow's BILINEAR, a triangle that widens with the reduction; pixels that the box does not touch have no part in it,
// as if it had been cut out first. A box of `size` at whole pixels is copied. Integer arithmetic: the same bits on
// every machine.
void resample(const PixelRows& source, const FractionalBox& box, const PictureSize& size, std::span<std::uint8_t> out);

// The part of a picture of `size` that `framing` asks for, resampled to `input`; both channel by channel, with the same
// number of channels. `picture` itself where that is it, otherwise written to `buffer`. For sets that hold pixels, not
// picture files.
std::span<const std::uint8_t> frame_pixels(std::span<const std::uint8_t> picture, const PictureSize& size,
                                           const Framing& framing, const PictureSize& input,
                                           std::span<std::uint8_t> buffer);

}  // namespace resist
