#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "resist/data/dataset.h"

namespace resist {

// The names of the classes that a network trained on `info` tells apart, by label; their numbers if they have no names.
std::vector<std::string> training_classes(const DatasetInfo& info);

// The training label of each class of another set: all must be names of training classes, or, where none is one,
// numbers of training classes from 0. InputError names a class that is neither; `where` says what has the classes.
std::vector<std::uint32_t> match_classes(const std::vector<std::string>& classes,
                                         const std::vector<std::string>& training, const std::string& where);

// The number that `text` is, in digits only, if it is below `bound`; -1 otherwise.
std::int64_t class_number(const std::string& text, std::int64_t bound);

}  // namespace resist
