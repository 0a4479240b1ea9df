#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "picture_files.h"
#include "resist/data/picture.h"

namespace resist {

// A PNG that is like no other `seed`'s.
inline void write_picture(const std::filesystem::path& path, const PictureFormat& format, std::uint32_t seed) {
  std::vector<std::uint8_t> pixels;
  std::uint32_t state = seed * 2'654'435'761U + 1;
  for (int i = 0; i < format.channels * format.height * format.width; ++i) {
    state = state * 1'664'525U + 1'013'904'223U;
    pixels.push_back(static_cast<std::uint8_t>(state >> 24));
  }
  std::filesystem::create_directories(path.parent_path());
  write_png(path, format, pixels);
}

// train/ with 3 pictures of cat and 2 of dog, test/ with 1 and 2, all of this format.
inline void write_picture_folder(const std::filesystem::path& folder, const PictureFormat& format) {
  write_picture(folder / "train/cat/1.png", format, 1);
  write_picture(folder / "train/cat/2.png", format, 2);
  write_picture(folder / "train/cat/3.png", format, 3);
  write_picture(folder / "train/dog/1.png", format, 4);
  write_picture(folder / "train/dog/2.png", format, 5);
  write_picture(folder / "test/cat/1.png", format, 6);
  write_picture(folder / "test/dog/1.png", format, 7);
  write_picture(folder / "test/dog/2.png", format, 8);
}

}  // namespace resist
