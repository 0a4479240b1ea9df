#pragma once

#include <variant>

#include "resist/core/random.h"

namespace resist {

// Pixels.
struct PictureSize {
  int height = 0;
  int width = 0;

  friend bool operator==(const PictureSize&, const PictureSize&) = default;
};

// A rectangle of a picture, pixels.
struct PictureBox {
  int top = 0;
  int left = 0;
  int height = 0;
  int width = 0;

  friend bool operator==(const PictureBox&, const PictureBox&) = default;
};

// Which part of a picture becomes the network's input, resampled to its size. A rule, since pictures may have sizes of
// their own. A value; safe for several threads.
class Framing {
 public:
  // All of it; it has the input's size already.
  static Framing whole() { return Framing(Whole{}); }
  // For evaluation: the middle, 7/8 of the largest rectangle of the input's shape (as resizing the shorter side to 256
  // and cropping 224 does).
  static Framing centre() { return Framing(Centre{}); }
  // For training: a random rectangle of a share `least_area` to 1 of the picture's area and of the input's shape times
  // 3/4 to 4/3 (Szegedy et al., "Going Deeper with Convolutions", CVPR 2015; torchvision's RandomResizedCrop). Where
  // ten tries fit none: the largest rectangle in the middle whose shape is within the bounds.
  static Framing random(double least_area, RandomStream random) { return Framing(Random{least_area, random}); }

  // InputError where the whole picture is wanted and does not have the input's size.
  PictureBox box(const PictureSize& picture, const PictureSize& input) const;

 private:
  struct Whole {};
  struct Centre {};
  struct Random {
    double least_area;
    RandomStream random;
  };
  using Rule = std::variant<Whole, Centre, Random>;
  explicit Framing(Rule rule) : rule_(rule) {}

  Rule rule_;
};

}  // namespace resist
