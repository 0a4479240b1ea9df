#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "resist/core/random.h"
#include "resist/data/dataset.h"

namespace resist {

// At most one of the crops.
struct Augmentation {
  int crop_padding = 0;  // zero padding (before normalisation) on each side, then a random crop of the original size
  double crop_area = 0;  // least share of the picture in a random box, resampled to the input's size; 0: no such crop
  bool flip = false;     // horizontally, with probability 1/2
};

// The augmentation that the options ask for; what they leave open is the data set's usual one, without its crop if they
// ask for the other kind. InputError unless 0 <= crop_padding < height and width, 0 <= crop_area <= 1 and one of them
// is 0.
Augmentation make_augmentation(const DataOptions& options, const DatasetInfo& info);

// The part of a picture that is read for training. `random` is what PixelTransform::augment is given for this picture;
// the two do not use the same numbers of it.
Framing training_framing(const Augmentation& augmentation, const DatasetInfo& info, RandomStream random);

// Turns a picture's pixels into the network's input: out = (pixel / 255 - mean) / stddev, by a table per channel.
// pixels, out: channels * height * width of `info`. Safe for several threads.
class PixelTransform {
 public:
  explicit PixelTransform(const DatasetInfo& info);

  // Values of one picture.
  std::size_t size() const {
    return tables_.size() * static_cast<std::size_t>(height_) * static_cast<std::size_t>(width_);
  }
  // For training: also crops and flips as `random` says. Padding has the pixel value 0 and is normalised like any
  // pixel.
  void augment(std::span<const std::uint8_t> pixels, const Augmentation& augmentation, RandomStream random,
               std::span<float> out) const;
  // For evaluation.
  void normalise(std::span<const std::uint8_t> pixels, std::span<float> out) const;

 private:
  using Table = std::array<float, 256>;
  // Where the crop lies, in the unpadded picture's coordinates (so -padding .. padding).
  struct Crop {
    int top = 0;
    int left = 0;
    bool mirrored = false;
  };
  void transform(std::span<const std::uint8_t> pixels, const Crop& crop, std::span<float> out) const;

  int height_;
  int width_;
  std::vector<Table> tables_;
};

}  // namespace resist
