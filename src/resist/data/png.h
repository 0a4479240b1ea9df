#pragma once

#include <memory>
#include <string_view>

#include "resist/data/picture_decoder.h"

namespace resist {

// `file` is a whole PNG file. Rows above the part asked for are decoded and dropped, those below are not read, unless
// the picture is interlaced; transparency is dropped. A picture is upright, whatever its EXIF says.
std::unique_ptr<PictureDecoder> open_png(std::string_view file);

}  // namespace resist
