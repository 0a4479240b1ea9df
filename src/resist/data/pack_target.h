#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "resist/core/error.h"
#include "resist/data/packed.h"
#include "resist/data/picture.h"

namespace resist {

// What pictures become when they are packed.
struct PackTarget {
  PackStorage storage = PackStorage::files;  // never automatic
  PictureFormat format;                      // pixels: of every sample
  int resize = 0;                            // see PackOptions
};

// `looked_at`: formats of some of the pictures, at least one. InputError if pixels are asked for and can't be.
PackTarget choose_pack_target(std::span<const PictureFormat> looked_at, PackStorage storage, int resize);

struct PreparedPicture {
  std::string sample;                // as it is to be stored
  PictureFormat format;              // of what is stored
  std::optional<InputError> damage;  // names the picture; then there is no sample
};

// Reads a picture file and makes a sample of it: pixels by decoding, a picture file by its header alone unless it has
// to be shrunk. InputError if the picture is sound and can't become one. Safe for several threads.
PreparedPicture prepare_picture(const std::filesystem::path& path, const PackTarget& target);

}  // namespace resist
