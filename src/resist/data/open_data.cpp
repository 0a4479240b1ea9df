#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "resist/config/nearest.h"
#include "resist/core/error.h"
#include "resist/data/dataset.h"
#include "resist/data/holdout.h"
#include "resist/data/image_folder.h"
#include "resist/data/known_sets.h"
#include "resist/data/synthetic.h"

namespace resist {
namespace {

DataSource open_by_name(const DataOptions& options, std::uint64_t seed) {
  if (options.data.starts_with(kSyntheticPrefix)) {
    return open_synthetic(options.data, seed);
  }
  const auto& sets = known_sets();
  const auto known =
      std::find_if(sets.begin(), sets.end(), [&](const KnownSet& set) { return set.info.name == options.data; });
  if (known != sets.end()) {
    return known->open(known->info, find_known_set(*known, options.data_dir));
  }
  std::error_code error;
  if (!options.data.empty() && std::filesystem::is_directory(options.data, error)) {
    return open_image_folder(options.data);
  }
  std::vector<std::string> names;
  names.reserve(sets.size());
  for (const KnownSet& set : sets) {
    names.push_back(set.info.name);
  }
  throw InputError(
      fmt::format("--data is '{}', which is neither a folder nor a known data set{}: allowed are {}, "
                  "synthetic:N,C,H,W,CLASSES and a folder of class folders",
                  options.data, did_you_mean(options.data, names), fmt::join(names, ", ")));
}

}  // namespace

DataSource open_data(const DataOptions& options, std::uint64_t seed) {
  if (options.holdout < 0) {
    throw InputError(fmt::format("--holdout is {}, but a number of samples from 0 is allowed", options.holdout));
  }
  DataSource source = open_by_name(options, seed);
  source.evaluation = source.test;
  if (options.holdout > 0) {
    HoldoutSplit split = hold_out(source.train, options.holdout, seed);
    source.train = std::move(split.rest);
    source.evaluation = std::move(split.held_out);
  }
  return source;
}

}  // namespace resist
