#pragma once

#include <filesystem>

#include "resist/data/picture_list.h"

namespace resist {

bool is_folder(const std::filesystem::path& path);
bool is_picture_name(const std::filesystem::path& path);  // ends in .jpg, .jpeg or .png

// The pictures of a folder that has one folder for each class: the classes are the folders' sorted names, the pictures
// of each are sorted by folder, then by name. Names that start with a dot are left out; links to folders are followed.
// `may_lack`: a class may have no pictures. InputError names the folder.
PictureList list_class_folders(const std::filesystem::path& folder, bool may_lack);

}  // namespace resist
