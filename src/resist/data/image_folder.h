#pragma once

#include <filesystem>

#include "resist/data/dataset.h"

namespace resist {

// `folder` has train/ and test/ (or val/), each with labelled JPEG or PNG pictures as list_pictures says; the training
// classes are the classes. A few training pictures are looked at here, which decides on the input's channels and size
// (choose_input); all are decoded when read. `image_size`, `skip_corrupt`: see open_data. InputError names what is
// wrong.
DataSource open_image_folder(const std::filesystem::path& folder, int image_size, int skip_corrupt);

// A folder of labelled pictures, or its test/ or val/ where that is no class of its own, as a further test set for a
// network trained on `info`. InputError names what is wrong, also pictures that can't be what `info` says, as far as a
// look at a few shows.
TestSet open_folder_test(const std::filesystem::path& folder, const DatasetInfo& info, int skip_corrupt);

}  // namespace resist
