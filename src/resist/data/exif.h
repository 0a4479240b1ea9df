#pragma once

#include <cstdint>
#include <span>

namespace resist {

// The value, 1 to 8, of the orientation tag in the content of a JPEG's APP1 marker. 1, upright, if it is no EXIF block,
// has no such tag or is damaged: cameras write all kinds of EXIF, and the picture is good without.
int exif_orientation(std::span<const std::uint8_t> app1);

}  // namespace resist
