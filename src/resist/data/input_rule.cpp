#include "resist/data/input_rule.h"

#include <fmt/format.h>

#include <algorithm>

#include "resist/core/error.h"

namespace resist {
namespace {

constexpr int kLargestFixedSide = 96;  // larger ones gain from random resized crops, whether or not they are alike
constexpr int kUsualSide = 224;

// All have one size, small enough and not another one than asked for.
bool is_fixed_size(std::span<const PictureFormat> formats, int image_size) {
  const PictureSize size = formats.front().size();
  const bool wanted = image_size == 0 || (size.height == image_size && size.width == image_size);
  return wanted && std::max(size.height, size.width) <= kLargestFixedSide &&
         std::ranges::all_of(formats, [&](const PictureFormat& format) { return format.size() == size; });
}

}  // namespace

std::vector<std::int64_t> evenly_spaced(std::int64_t size, std::int64_t most) {
  const std::int64_t count = std::min(size, most);
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < count; ++i) {
    indices.push_back(i * size / count);
  }
  return indices;
}

void choose_input(std::span<const PictureFormat> looked_at, int image_size, DatasetInfo& info) {
  if (looked_at.empty()) {
    throw InputError(fmt::format("none of the training pictures of '{}' that were looked at can be used", info.name));
  }
  info.channels = std::ranges::max_element(looked_at, {}, &PictureFormat::channels)->channels;
  info.own_sizes = !is_fixed_size(looked_at, image_size);
  info.height = looked_at.front().height;
  info.width = looked_at.front().width;
  info.crop_padding = std::min(info.height, info.width) / 8;
  info.flip = true;
  if (info.own_sizes) {
    info.height = info.width = image_size > 0 ? image_size : kUsualSide;
    info.crop_padding = 0;
  }
}

PictureBox usable_part(const PictureFormat& picture, const Framing& framing, const PictureFormat& input) {
  if (picture.channels != 1 && picture.channels != input.channels) {
    throw InputError(fmt::format("it is in colour (3 channels), but the network's input has {}: convert it to grey",
                                 input.channels));
  }
  return framing.box(picture.size(), input.size());
}

}  // namespace resist
