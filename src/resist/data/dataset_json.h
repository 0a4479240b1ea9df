#pragma once

#include <nlohmann/json.hpp>

#include "resist/data/dataset.h"

namespace resist {

// What is known of a data set, for files that a network leaves in: name, channels, height, width, mean, stddev, resize
// (pictures have sizes of their own: the middle 7/8 is resampled), classes (their names, or their number).
nlohmann::json to_json(const DatasetInfo& info);

// The reverse. InputError says what is missing or impossible; nothing is allocated by the word of a number.
DatasetInfo dataset_info_from_json(const nlohmann::json& json);

}  // namespace resist
