#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "resist/data/picture_decoder.h"

namespace resist {

// `file` is a whole JPEG file. Decodes at the smallest of the scales 1/8, 1/4, 1/2 and 1 that is fine enough, and no
// more of the file than the part asked for needs; the rest is checked only if the part reaches the last row.
std::unique_ptr<PictureDecoder> open_jpeg(std::string_view file);

// A JPEG file of quality 95 without chroma subsampling. pixels: channel by channel, 1 or 3 channels.
std::string encode_jpeg(const PictureFormat& format, std::span<const std::uint8_t> pixels);

}  // namespace resist
