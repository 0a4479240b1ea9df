#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>

#include "resist/core/error.h"
#include "resist/data/picture.h"

namespace resist {

// Runs body(content) on a picture file's content, and names the file in what it complains about.
template <typename Body>
auto with_picture(const std::filesystem::path& path, const Body& body) {
  const std::string file = read_picture_file(path);
  try {
    return body(file);
  } catch (const InputError& error) {
    throw InputError(fmt::format("can't use picture '{}': {}", path.string(), error.what()));
  }
}

}  // namespace resist
