#include "resist/data/augment.h"

#include <fmt/format.h>

#include <algorithm>

#include "resist/core/error.h"

namespace resist {
namespace {

constexpr double kUsualCropArea = 0.08;  // as in the paper and in torchvision

}  // namespace

Augmentation make_augmentation(const DataOptions& options, const DatasetInfo& info) {
  const bool padding_wanted = options.crop_padding.value_or(0) > 0;
  const bool area_wanted = options.crop_area.value_or(0) > 0;
  if (padding_wanted && area_wanted) {
    throw InputError(fmt::format("--crop-padding is {} and --crop-area is {}, but they exclude each other: give one",
                                 *options.crop_padding, *options.crop_area));
  }
  const int usual_padding = area_wanted ? 0 : info.crop_padding;
  const double usual_area = info.own_sizes && !padding_wanted ? kUsualCropArea : 0;
  const Augmentation augmentation{.crop_padding = options.crop_padding.value_or(usual_padding),
                                  .crop_area = options.crop_area.value_or(usual_area),
                                  .flip = options.flip.value_or(info.flip)};
  const int side = std::min(info.height, info.width);
  if (augmentation.crop_padding < 0 || augmentation.crop_padding >= side) {
    throw InputError(fmt::format("--crop-padding is {}, but 0 to {} are allowed for pictures of {}x{} (height x width)",
                                 augmentation.crop_padding, side - 1, info.height, info.width));
  }
  if (!(augmentation.crop_area >= 0 && augmentation.crop_area <= 1)) {
    throw InputError(fmt::format("--crop-area is {}, but 0 to 1 are allowed", augmentation.crop_area));
  }
  return augmentation;
}

Framing training_framing(const Augmentation& augmentation, const DatasetInfo& info, RandomStream random) {
  if (augmentation.crop_area > 0) {
    random.below(2);  // PixelTransform::augment's, for mirroring
    return Framing::random(augmentation.crop_area, random);
  }
  return info.evaluation_framing();
}

PixelTransform::PixelTransform(const DatasetInfo& info)
    : height_(info.height), width_(info.width), tables_(static_cast<std::size_t>(info.channels)) {
  for (std::size_t channel = 0; channel < tables_.size(); ++channel) {
    for (std::size_t value = 0; value < tables_[channel].size(); ++value) {
      tables_[channel][value] = (static_cast<float>(value) / 255.0F - info.mean.at(channel)) / info.stddev.at(channel);
    }
  }
}

void PixelTransform::augment(std::span<const std::uint8_t> pixels, const Augmentation& augmentation,
                             RandomStream random, std::span<float> out) const {
  Crop crop;
  if (augmentation.crop_padding > 0) {
    const auto places = static_cast<std::uint32_t>(2 * augmentation.crop_padding + 1);
    crop.top = static_cast<int>(random.below(places)) - augmentation.crop_padding;
    crop.left = static_cast<int>(random.below(places)) - augmentation.crop_padding;
  }
  crop.mirrored = augmentation.flip && random.below(2) == 1;
  transform(pixels, crop, out);
}

void PixelTransform::normalise(std::span<const std::uint8_t> pixels, std::span<float> out) const {
  transform(pixels, {}, out);
}

void PixelTransform::transform(std::span<const std::uint8_t> pixels, const Crop& crop, std::span<float> out) const {
  if (pixels.size() != size() || out.size() != size()) {
    throw Error(fmt::format("a picture has {} values, not {} and {}", size(), pixels.size(), out.size()));
  }
  // Columns of the crop that lie inside the picture.
  const int first = std::max(0, -crop.left);
  const int last = std::min(width_, width_ - crop.left);
  const std::uint8_t* plane = pixels.data();
  float* row = out.data();
  for (const Table& table : tables_) {
    for (int y = 0; y < height_; ++y, row += width_) {
      const int source_y = y + crop.top;
      if (source_y < 0 || source_y >= height_) {
        std::fill_n(row, width_, table[0]);
        continue;
      }
      const std::uint8_t* source = plane + source_y * width_;
      std::fill(row, row + first, table[0]);
      for (int x = first; x < last; ++x) {
        row[x] = table[source[x + crop.left]];
      }
      std::fill(row + last, row + width_, table[0]);
      if (crop.mirrored) {
        std::reverse(row, row + width_);
      }
    }
    plane += height_ * width_;
  }
}

}  // namespace resist
