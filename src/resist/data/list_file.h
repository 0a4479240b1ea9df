#pragma once

#include <filesystem>
#include <optional>

#include "resist/data/picture_list.h"

namespace resist {

// FOLDER.txt beside the folder, or list.txt in it.
std::optional<std::filesystem::path> find_list_file(const std::filesystem::path& folder);

// The pictures of `folder` in the order in which the list file `path` names them; their classes are the sorted ones
// that it has. Lines are as list_pictures says. InputError names the line.
PictureList read_list_file(const std::filesystem::path& path, const std::filesystem::path& folder);

}  // namespace resist
