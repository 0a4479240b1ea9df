#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "resist/data/dataset.h"
#include "resist/data/picture.h"

namespace resist {

// Indices of `most` evenly spaced samples of `size`, or of all where there are fewer.
std::vector<std::int64_t> evenly_spaced(std::int64_t size, std::int64_t most);

// How many pictures of a set are looked at to know what it has.
inline constexpr std::int64_t kPicturesLookedAt = 64;

// What a network takes: the input's channels and size.
inline PictureFormat input_format(const DatasetInfo& info) {
  return {.channels = info.channels, .height = info.height, .width = info.width};
}

// Sets channels, height, width, own_sizes, crop_padding and flip of `info` from the training pictures looked at. Where
// all have one size of at most 96 pixels a side, and `image_size` is 0 or that size, it is the input's. Otherwise
// pictures have sizes of their own, and the input is image_size (0: 224) a side. InputError if none were looked at.
void choose_input(std::span<const PictureFormat> looked_at, int image_size, DatasetInfo& info);

// The part of a picture that `framing` asks for. InputError where the input is `input` and can't be made of it: a
// colour picture where the input is grey, or all of a picture that has another size.
PictureBox usable_part(const PictureFormat& picture, const Framing& framing, const PictureFormat& input);

}  // namespace resist
