#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "resist/data/picture.h"

namespace resist {

// `file` is a whole JPEG file. InputError holds libjpeg's complaint without the file's name.
PictureFormat jpeg_format(std::string_view file);
// channels: 1 or 3. pixels: row by row, the channels of a pixel together.
void decode_jpeg(std::string_view file, int channels, std::span<std::uint8_t> pixels);

}  // namespace resist
