#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "resist/data/framing.h"

namespace resist {

struct PictureFormat {
  int channels = 0;  // 1: grey, 3: colour
  int height = 0;    // pixels, as the picture is to be seen (after its EXIF orientation)
  int width = 0;

  PictureSize size() const { return {.height = height, .width = width}; }
  friend bool operator==(const PictureFormat&, const PictureFormat&) = default;
};

// JPEG (grey, colour, CMYK; progressive or not; turned as its EXIF orientation says) and PNG, told apart by their
// content. `file` is the whole file's content. Safe for several threads. Every InputError is about this one picture,
// and leaves naming it to the caller; whatever the decoders complain about (cut short, bad checksum, damaged data) is
// one. Without RESIST_WITH_PICTURES all throw an InputError that says so.

// From the header; more than 2^28 pixels, or 65500 on a side, are refused.
PictureFormat picture_format(std::string_view file);

// Writes the part that `framing` asks for, resampled to `input`, channel by channel. A grey picture fills three
// channels if `input` has them; a colour picture where grey is expected is refused. Transparency is dropped. Only what
// is needed is decoded: JPEG at a reduced scale where the part is at least twice as large as the input, and no further
// than the part's last row.
void read_picture(std::string_view file, const Framing& framing, const PictureFormat& input,
                  std::span<std::uint8_t> pixels);

// The same picture, upright, with a shorter side of `shorter_side` pixels, as JPEG of quality 95 without chroma
// subsampling. A picture whose shorter side is not longer is returned as it is.
std::string shrink_picture(std::string_view file, int shorter_side);

// The file's content. InputError names the file; one beyond 256 MiB is refused.
std::string read_picture_file(const std::filesystem::path& path);

}  // namespace resist
