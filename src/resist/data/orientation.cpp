#include "resist/data/orientation.h"

#include <array>
#include <cstddef>
#include <utility>

namespace resist {
namespace {

// Of the first pixel and of the length of a stretch of `size` pixels counted from the other end.
int from_other_end(int first, int length, int size, bool reversed) {
  return reversed ? size - first - length : first;
}

}  // namespace

Orientation orientation_of(int exif_value) {
  constexpr std::array<Orientation, 8> kOrientations = {{
      {false, false, false},
      {false, false, true},
      {false, true, true},
      {false, true, false},
      {true, false, false},
      {true, true, false},
      {true, true, true},
      {true, false, true},
  }};
  return exif_value >= 1 && exif_value <= 8 ? kOrientations[static_cast<std::size_t>(exif_value - 1)] : Orientation{};
}

PictureSize turned(const PictureSize& size, const Orientation& orientation) {
  return orientation.transposed ? PictureSize{.height = size.width, .width = size.height} : size;
}

PictureBox stored_box(const PictureBox& upright, const PictureSize& stored, const Orientation& orientation) {
  PictureBox box = upright;
  if (orientation.transposed) {
    std::swap(box.top, box.left);
    std::swap(box.height, box.width);
  }
  box.top = from_other_end(box.top, box.height, stored.height, orientation.rows_reversed);
  box.left = from_other_end(box.left, box.width, stored.width, orientation.columns_reversed);
  return box;
}

void turn_upright(std::span<const std::uint8_t> stored, const PictureSize& stored_size, const Orientation& orientation,
                  std::span<std::uint8_t> upright) {
  const PictureSize size = turned(stored_size, orientation);
  const auto plane = static_cast<std::size_t>(size.height) * static_cast<std::size_t>(size.width);
  std::size_t out = 0;
  for (std::size_t first = 0; first < stored.size(); first += plane) {
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x, ++out) {
        const PictureBox pixel = stored_box({.top = y, .left = x, .height = 1, .width = 1}, stored_size, orientation);
        upright[out] = stored[first + static_cast<std::size_t>(pixel.top * stored_size.width + pixel.left)];
      }
    }
  }
}

}  // namespace resist
