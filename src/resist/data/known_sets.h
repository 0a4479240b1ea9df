#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "resist/data/dataset.h"

namespace resist {

// A data set that resist knows by name: everything but its pictures.
struct KnownSet {
  DatasetInfo info;                  // height and width come from the files
  std::string subfolder;             // that its archive unpacks to; empty: none
  std::vector<std::string> markers;  // a folder that has one of these files is the data set's
  std::string how_to_get;
  DataSource (*open)(const DatasetInfo& info, const std::filesystem::path& folder);
};

const std::vector<KnownSet>& known_sets();

// The folder that holds the set: `data_dir` if it is given, otherwise the first of $RESIST_DATA_DIR/NAME, ./data/NAME
// and /usr/share/datasets/NAME. InputError lists every place that was looked at and how to get the set.
std::filesystem::path find_known_set(const KnownSet& set, const std::filesystem::path& data_dir);

}  // namespace resist
