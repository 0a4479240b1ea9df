#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "resist/data/dataset.h"

namespace resist {

// How much of what size.
struct Extent {
  int size;  // height and width, pixels
  std::int64_t training_samples;
  std::int64_t test_samples;
};

// A data set that resist knows by name: everything but its pictures.
struct KnownSet {
  DatasetInfo info;                  // height and width come from the files
  Extent usual;                      // of its files as they are published
  std::string subfolder;             // that its archive unpacks to; empty: none
  std::vector<std::string> markers;  // a folder that has one of these files is the data set's
  std::string how_to_get;
  DataSource (*open)(const DatasetInfo& info, const std::filesystem::path& folder);
};

const std::vector<KnownSet>& known_sets();
// The one of this name; null: there is none.
const KnownSet* known_set(const std::string& name);

// The folder that holds the set: `data_dir` if it is given, otherwise the first of $RESIST_DATA_DIR/NAME, ./data/NAME
// and /usr/share/datasets/NAME. InputError lists every place that was looked at and how to get the set.
std::filesystem::path find_known_set(const KnownSet& set, const std::filesystem::path& data_dir);

}  // namespace resist
