#include "resist/tensorboard/assignment_picture.h"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "resist/core/error.h"

namespace resist {
namespace {

// Indices into the colours.
enum Color : std::uint8_t { background, not_held, held_by_several, held_alone };
constexpr std::array<std::uint8_t, 12> kColors = {255, 255, 255, 225, 225, 225, 130, 175, 230, 25, 75, 145};  // RGB

// Sizes in pixels.
constexpr int kLargestCell = 24;
constexpr int kLongestSide = 1200;  // unless single pixels take more
constexpr int kCellsPerLine = 8;    // a line between cells is that part of one

class Canvas {
 public:
  Canvas(int height, int width)
      : height_(height),
        width_(width),
        pixels_(static_cast<std::size_t>(height) * static_cast<std::size_t>(width), background) {}

  void fill(int top, int left, int size, Color color) {
    for (int row = top; row < top + size; ++row) {
      std::fill_n(pixels_.begin() + static_cast<std::ptrdiff_t>(row) * width_ + left, size, color);
    }
  }

  AssignmentPicture encode() const {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.height = static_cast<png_uint_32>(height_);
    image.width = static_cast<png_uint_32>(width_);
    image.format = PNG_FORMAT_RGB_COLORMAP;
    image.colormap_entries = kColors.size() / 3;
    AssignmentPicture picture{.height = height_, .width = width_, .png = {}};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    picture.png.resize(size);
    if (png_image_write_to_memory(&image, picture.png.data(), &size, 0, pixels_.data(), width_, kColors.data()) == 0) {
      throw Error(fmt::format("can't encode the picture of an assignment, {}x{} pixels: {}", width_, height_,
                              static_cast<const char*>(image.message)));
    }
    picture.png.resize(size);
    return picture;
  }

 private:
  int height_;
  int width_;
  std::vector<std::uint8_t> pixels_;
};

Color color_of(const Assignment& assignment, int worker, int block) {
  const std::vector<int>& holders = assignment.holders(block);
  if (!std::ranges::binary_search(holders, worker)) {
    return not_held;
  }
  return holders.size() > 1 ? held_by_several : held_alone;
}

}  // namespace

AssignmentPicture draw_assignment(const Assignment& assignment, const std::vector<DeckSize>& decks) {
  const int gaps = static_cast<int>(decks.size()) - 1;
  const int most = std::max(assignment.workers(), assignment.blocks() + gaps);
  const int cell = std::clamp(kLongestSide / most, 1, kLargestCell);
  const int line = cell / kCellsPerLine;
  Canvas canvas(assignment.workers() * cell + line, (assignment.blocks() + gaps) * cell + line);
  int block = 0;
  int left = line;
  for (const DeckSize& deck : decks) {
    for (int i = 0; i < deck.blocks; ++i, ++block, left += cell) {
      for (int worker = 0; worker < assignment.workers(); ++worker) {
        canvas.fill(worker * cell + line, left, cell - line, color_of(assignment, worker, block));
      }
    }
    left += cell;  // the gap
  }
  return canvas.encode();
}

}  // namespace resist
