#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "resist/data/picture.h"

namespace resist {

// How a JPEG file is made.
struct JpegForm {
  int quality = 95;
  bool progressive = false;
  bool many_scans = false;  // a grey picture: 127, one or two for each frequency
  int wide = 2;             // brightness is stored this many times as finely as colour
  int high = 2;
  bool adobe = true;                    // four channels: with the marker that says the inks are inverted
  bool ycck = false;                    // four channels: the inks are stored as brightness and colour
  std::vector<std::uint8_t> exif = {};  // content of its APP1 marker; empty: none
};

// The files' content. pixels: row by row, the channels of a pixel together. JPEG: 1, 3 or 4 channels (inks); PNG: 1, 2
// (grey and alpha), 3 or 4.
std::string jpeg_file(const PictureFormat& format, const std::vector<std::uint8_t>& pixels, const JpegForm& form = {});
std::string png_file(const PictureFormat& format, const std::vector<std::uint8_t>& pixels, bool interlaced = false);

void write_jpeg(const std::filesystem::path& path, const PictureFormat& format,
                const std::vector<std::uint8_t>& pixels);
void write_png(const std::filesystem::path& path, const PictureFormat& format, const std::vector<std::uint8_t>& pixels);

// A picture of one colour.
std::vector<std::uint8_t> flat(const PictureFormat& format, const std::vector<std::uint8_t>& colour);

// A picture that is smooth, with different slopes in each channel.
std::vector<std::uint8_t> smooth(const PictureFormat& format);

}  // namespace resist
