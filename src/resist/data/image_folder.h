#pragma once

#include <filesystem>

#include "resist/data/dataset.h"

namespace resist {

// `folder` has train/ and test/ (or val/), each with one folder of JPEG or PNG pictures per class; the sorted folder
// names are the classes. All pictures have the size and channels of the first, which alone is read here unless the
// normalisation has to be computed; the others are decoded, and checked, when read. InputError names what is wrong.
DataSource open_image_folder(const std::filesystem::path& folder);

}  // namespace resist
