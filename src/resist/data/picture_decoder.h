#pragma once

#include <cstdint>
#include <memory>

#include "resist/data/framing.h"
#include "resist/data/orientation.h"
#include "resist/data/picture.h"
#include "resist/data/resample.h"

namespace resist {

// Decoded pixels, row by row, the channels of a pixel together.
struct DecodedPart {
  std::unique_ptr<std::uint8_t[]> pixels;
  int height = 0;
  int width = 0;
  int channels = 0;
  FractionalBox box;  // where the part asked for lies in them

  PixelRows rows() const { return {.pixels = pixels.get(), .height = height, .width = width, .channels = channels}; }
};

// Reads one picture. All sizes and places are those of the picture as it is stored; orientation() says how it is to be
// turned. InputErrors hold the decoder's complaint. The file's content must outlive it.
class PictureDecoder {
 public:
  virtual ~PictureDecoder() = default;
  // From the header: nothing is decoded, and height and width may be anything from 1.
  virtual PictureFormat format() const = 0;
  virtual Orientation orientation() const = 0;
  // The part that `box` is, no smaller than `least` (where it isn't in the file). Once.
  virtual DecodedPart decode(const PictureBox& box, const PictureSize& least) = 0;
};

}  // namespace resist
