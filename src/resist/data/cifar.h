#pragma once

#include <filesystem>

#include "resist/data/dataset.h"

namespace resist {

// The binary versions of CIFAR-10 (data_batch_1.bin to data_batch_5.bin, test_batch.bin) and CIFAR-100 (train.bin,
// test.bin; the fine label counts; fine_label_names.txt gives the class names if it is there).
// InputError names the file that is missing or wrong.
DataSource open_cifar10(const DatasetInfo& info, const std::filesystem::path& folder);
DataSource open_cifar100(const DatasetInfo& info, const std::filesystem::path& folder);

}  // namespace resist
