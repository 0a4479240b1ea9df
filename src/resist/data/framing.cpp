#include "resist/data/framing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "resist/core/error.h"

namespace resist {
namespace {

constexpr int kTries = 10;
constexpr double kLeastStretch = 3.0 / 4;  // of the box's shape against the input's
constexpr double kMostStretch = 4.0 / 3;

int rounded_side(double side, int most) {
  return std::clamp(static_cast<int>(std::lround(side)), 1, most);
}

PictureBox in_the_middle(const PictureSize& picture, int height, int width) {
  return {.top = (picture.height - height) / 2, .left = (picture.width - width) / 2, .height = height, .width = width};
}

PictureBox whole_box(const PictureSize& picture, const PictureSize& input) {
  if (picture != input) {
    throw InputError(
        fmt::format("it is {}x{} pixels (height x width), but the network's input is {}x{}: give --image-size N to cut "
                    "and resample pictures of different sizes",
                    picture.height, picture.width, input.height, input.width));
  }
  return {.top = 0, .left = 0, .height = picture.height, .width = picture.width};
}

PictureBox centre_box(const PictureSize& picture, const PictureSize& input) {
  constexpr double kShare = 7.0 / 8;
  const double scale =
      std::min(static_cast<double>(picture.height) / input.height, static_cast<double>(picture.width) / input.width);
  return in_the_middle(picture, rounded_side(kShare * scale * input.height, picture.height),
                       rounded_side(kShare * scale * input.width, picture.width));
}

// The largest box in the middle that is not too far from the input's shape.
PictureBox fallback_box(const PictureSize& picture, double input_aspect) {
  const double aspect = static_cast<double>(picture.width) / picture.height;
  const double least = input_aspect * kLeastStretch;
  const double most = input_aspect * kMostStretch;
  if (aspect < least) {
    return in_the_middle(picture, rounded_side(picture.width / least, picture.height), picture.width);
  }
  if (aspect > most) {
    return in_the_middle(picture, picture.height, rounded_side(picture.height * most, picture.width));
  }
  return in_the_middle(picture, picture.height, picture.width);
}

PictureBox random_box(const PictureSize& picture, const PictureSize& input, double least_area, RandomStream random) {
  const double input_aspect = static_cast<double>(input.width) / input.height;
  const double picture_area = static_cast<double>(picture.height) * picture.width;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const double area = picture_area * (least_area + (1 - least_area) * static_cast<double>(random.uniform()));
    const double exponent = static_cast<double>(random.uniform());
    // As a float: what the machines' libraries differ in, the last bit of the double, is gone.
    const auto stretch = static_cast<float>(kLeastStretch * std::pow(kMostStretch / kLeastStretch, exponent));
    const double aspect = input_aspect * static_cast<double>(stretch);
    const std::int64_t height = std::lround(std::sqrt(area / aspect));
    const std::int64_t width = std::lround(std::sqrt(area * aspect));
    if (height < 1 || height > picture.height || width < 1 || width > picture.width) {
      continue;
    }
    PictureBox box{.height = static_cast<int>(height), .width = static_cast<int>(width)};
    box.top = static_cast<int>(random.below(static_cast<std::uint32_t>(picture.height - box.height + 1)));
    box.left = static_cast<int>(random.below(static_cast<std::uint32_t>(picture.width - box.width + 1)));
    return box;
  }
  return fallback_box(picture, input_aspect);
}

}  // namespace

PictureBox Framing::box(const PictureSize& picture, const PictureSize& input) const {
  if (const auto* rule = std::get_if<Random>(&rule_)) {
    return random_box(picture, input, rule->least_area, rule->random);
  }
  return std::holds_alternative<Centre>(rule_) ? centre_box(picture, input) : whole_box(picture, input);
}

}  // namespace resist
