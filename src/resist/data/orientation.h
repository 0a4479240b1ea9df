#pragma once

#include <cstdint>
#include <span>

#include "resist/data/framing.h"

namespace resist {

// How a picture is stored against how it is to be seen: upright pixel (y, x) is the stored pixel of row y and column x,
// these exchanged if it is transposed, then each counted from the other end if it is reversed.
struct Orientation {
  bool transposed = false;
  bool rows_reversed = false;
  bool columns_reversed = false;

  friend bool operator==(const Orientation&, const Orientation&) = default;
};

// From the value of EXIF's orientation tag; what is not 1 to 8 is taken for 1, upright.
Orientation orientation_of(int exif_value);

// Stored to upright or back.
PictureSize turned(const PictureSize& size, const Orientation& orientation);

// Where the box of the upright picture lies in the stored one.
PictureBox stored_box(const PictureBox& upright, const PictureSize& stored, const Orientation& orientation);

// From stored to upright; both are channel by channel.
void turn_upright(std::span<const std::uint8_t> stored, const PictureSize& stored_size, const Orientation& orientation,
                  std::span<std::uint8_t> upright);

}  // namespace resist
