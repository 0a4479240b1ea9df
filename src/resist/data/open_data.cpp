#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <utility>
#include <vector>

#include "resist/config/nearest.h"
#include "resist/core/error.h"
#include "resist/data/class_folders.h"
#include "resist/data/dataset.h"
#include "resist/data/holdout.h"
#include "resist/data/image_folder.h"
#include "resist/data/known_sets.h"
#include "resist/data/packed.h"
#include "resist/data/synthetic.h"

namespace resist {
namespace {

DataSource open_by_name(const DataOptions& options, int image_size, std::uint64_t seed) {
  if (options.data.starts_with(kSyntheticPrefix)) {
    return open_synthetic(options.data, seed);
  }
  if (const KnownSet* known = known_set(options.data)) {
    return known->open(known->info, find_known_set(*known, options.data_dir));
  }
  if (is_folder(options.data)) {
    return open_image_folder(options.data, image_size, options.skip_corrupt);
  }
  if (is_packed(options.data)) {
    return open_packed(options.data, image_size, options.skip_corrupt);
  }
  std::vector<std::string> names;
  names.reserve(known_sets().size());
  for (const KnownSet& set : known_sets()) {
    names.push_back(set.info.name);
  }
  throw InputError(
      fmt::format("--data is '{}', which is neither a folder, a packed file nor a known data set{}: allowed are {}, "
                  "synthetic:N,C,H,W,CLASSES, a folder with train/ and test/, and a file of 'resist data pack'",
                  options.data, did_you_mean(options.data, names), fmt::join(names, ", ")));
}

// `named`: NAME=PATH.
TestSet open_further(const std::string& named, const DatasetInfo& info, int skip_corrupt) {
  const std::size_t equals = named.find('=');
  const std::string path = equals == std::string::npos ? "" : named.substr(equals + 1);
  TestSet set;
  if (is_folder(path)) {
    set = open_folder_test(path, info, skip_corrupt);
  } else if (is_packed(path)) {
    set = open_packed_test(path, info, skip_corrupt);
  } else {
    throw InputError(
        fmt::format("--eval is '{}', but '{}' is neither a folder nor a packed file: give NAME=PATH, with "
                    "the path of a folder of labelled pictures or of a file of 'resist data pack'",
                    named, path));
  }
  set.name = named.substr(0, equals);
  return set;
}

}  // namespace

DataSource open_data(const DataOptions& options, const std::vector<std::string>& further, int image_size,
                     std::uint64_t seed) {
  if (options.holdout < 0) {
    throw InputError(fmt::format("--holdout is {}, but a number of samples from 0 is allowed", options.holdout));
  }
  DataSource source = open_by_name(options, image_size, seed);
  if (options.holdout > 0) {
    HoldoutSplit split = hold_out(source.train, options.holdout, seed);
    source.train = std::move(split.rest);
    source.held_out = std::move(split.held_out);
  }
  for (const std::string& named : further) {
    source.further.push_back(open_further(named, source.info, options.skip_corrupt));
  }
  return source;
}

}  // namespace resist
