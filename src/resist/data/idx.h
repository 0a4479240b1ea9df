#pragma once

#include <filesystem>

#include "resist/data/dataset.h"

namespace resist {

// MNIST's format: files [train|t10k]-images-idx3-ubyte and -labels-idx1-ubyte in `folder`, plain or gzip (.gz).
// `info` says everything but height and width, which are the files'. InputError names the file that is missing or
// wrong.
DataSource open_idx(const DatasetInfo& info, const std::filesystem::path& folder);

}  // namespace resist
