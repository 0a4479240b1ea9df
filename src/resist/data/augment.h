#pragma once

#include <cstdint>
#include <span>

#include "resist/core/random.h"
#include "resist/data/dataset.h"

namespace resist {

struct Augmentation {
  int crop_padding = 0;  // zero padding (before normalisation) on each side, then a random crop of the original size
  bool flip = false;     // horizontally, with probability 1/2
};

// The augmentation that the options ask for; what they leave open is the data set's usual one.
Augmentation make_augmentation(const DataOptions& options, const DatasetInfo& info);

// Crops and flips one picture as `random` says and writes it normalised: out = (pixel / 255 - mean) / stddev.
// pixels, out: channels * height * width. Padding has the pixel value 0 and is normalised like any pixel.
void augment(std::span<const std::uint8_t> pixels, const DatasetInfo& info, const Augmentation& augmentation,
             RandomStream random, std::span<float> out);

// The same without crop and flip, for evaluation.
void normalise(std::span<const std::uint8_t> pixels, const DatasetInfo& info, std::span<float> out);

}  // namespace resist
