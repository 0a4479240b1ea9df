#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace resist {

struct PictureFormat {
  int channels = 0;  // 1: grey, 3: colour
  int height = 0;    // pixels
  int width = 0;

  friend bool operator==(const PictureFormat&, const PictureFormat&) = default;
};

// JPEG and PNG files, told apart by their content. Safe for several threads. Every InputError names the file; whatever
// the decoders complain about (cut short, bad checksum, damaged data) is one. Without RESIST_WITH_PICTURES both throw
// an InputError that says so.

// From the header; sides above 4096 pixels are refused.
PictureFormat picture_format(const std::filesystem::path& path);

// Writes the picture channel by channel; it must have the size of `expected`. A grey picture fills three channels if
// `expected` has them; a colour picture where a grey one is expected is refused. Transparency is dropped.
void read_picture(const std::filesystem::path& path, const PictureFormat& expected, std::span<std::uint8_t> pixels);

}  // namespace resist
