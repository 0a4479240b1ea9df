#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "resist/data/picture.h"

namespace resist {

// pixels: row by row, the channels of a pixel together; channels 1 or 3.
void write_jpeg(const std::filesystem::path& path, const PictureFormat& format,
                const std::vector<std::uint8_t>& pixels);
// Also 2 (grey and alpha) and 4 channels.
void write_png(const std::filesystem::path& path, const PictureFormat& format, const std::vector<std::uint8_t>& pixels);

// A picture of one colour.
std::vector<std::uint8_t> flat(const PictureFormat& format, const std::vector<std::uint8_t>& colour);

}  // namespace resist
