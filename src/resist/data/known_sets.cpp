#include "resist/data/known_sets.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "resist/core/error.h"
#include "resist/data/cifar.h"
#include "resist/data/idx.h"

namespace resist {
namespace {

DatasetInfo make_info(std::string name, std::vector<std::string> class_names, std::vector<float> mean,
                      std::vector<float> stddev, int crop_padding, bool flip) {
  DatasetInfo info;
  info.name = std::move(name);
  info.channels = static_cast<int>(mean.size());
  info.classes = static_cast<int>(class_names.size());
  info.class_names = std::move(class_names);
  info.mean = std::move(mean);
  info.stddev = std::move(stddev);
  info.crop_padding = crop_padding;
  info.flip = flip;
  return info;
}

KnownSet idx_set(DatasetInfo info, std::string how_to_get) {
  return {.info = std::move(info),
          .usual = {.size = 28, .training_samples = 60000, .test_samples = 10000},
          .subfolder = "",
          .markers = {"train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"},
          .how_to_get = std::move(how_to_get),
          .open = &open_idx};
}

std::vector<KnownSet> make_idx_sets() {
  const std::string files =
      "train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and "
      "t10k-labels-idx1-ubyte.gz";
  std::vector<KnownSet> sets;
  sets.push_back(idx_set(make_info("fashion-mnist",
                                   {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker",
                                    "Bag", "Ankle boot"},
                                   {0.2860F}, {0.3530F}, 2, true),
                         "install the Debian package dataset-fashion-mnist, or put " + files +
                             " of https://github.com/zalandoresearch/fashion-mnist there"));
  sets.push_back(
      idx_set(make_info("mnist", {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, {0.1307F}, {0.3081F}, 2, false),
              "put " + files + " of https://ossci-datasets.s3.amazonaws.com/mnist/ there"));
  sets.push_back(idx_set(
      make_info("kmnist", {"o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"}, {0.1918F}, {0.3483F}, 2, false),
      "put " + files + " of http://codh.rois.ac.jp/kmnist/ there"));
  return sets;
}

std::vector<KnownSet> make_known_sets() {
  std::vector<KnownSet> sets = make_idx_sets();
  constexpr Extent kCifar{.size = 32, .training_samples = 50000, .test_samples = 10000};
  const std::string page = "of https://www.cs.toronto.edu/~kriz/cifar.html there";
  sets.push_back(
      {.info = make_info("cifar10",
                         {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"},
                         {0.4914F, 0.4822F, 0.4465F}, {0.2470F, 0.2435F, 0.2616F}, 4, true),
       .usual = kCifar,
       .subfolder = "cifar-10-batches-bin",
       .markers = {"data_batch_1.bin"},
       .how_to_get = "unpack cifar-10-binary.tar.gz " + page,
       .open = &open_cifar10});
  KnownSet cifar100{
      .info = make_info("cifar100", {}, {0.5071F, 0.4865F, 0.4409F}, {0.2673F, 0.2564F, 0.2762F}, 4, true),
      .usual = kCifar,
      .subfolder = "cifar-100-binary",
      .markers = {"train.bin"},
      .how_to_get = "unpack cifar-100-binary.tar.gz " + page,
      .open = &open_cifar100};
  cifar100.info.classes = 100;
  sets.push_back(std::move(cifar100));
  return sets;
}

std::vector<std::filesystem::path> places_of(const KnownSet& set, const std::filesystem::path& data_dir) {
  const std::string& name = set.info.name;
  std::vector<std::filesystem::path> places;
  if (!data_dir.empty()) {
    places = {data_dir, data_dir / name};
  } else {
    const char* root = std::getenv("RESIST_DATA_DIR");
    if (root != nullptr && *root != '\0') {
      places.push_back(std::filesystem::path(root) / name);
    }
    places.push_back(std::filesystem::path("data") / name);
    places.push_back(std::filesystem::path("/usr/share/datasets") / name);
  }
  if (!set.subfolder.empty()) {
    std::vector<std::filesystem::path> with_subfolders;
    for (const auto& place : places) {
      with_subfolders.push_back(place);
      with_subfolders.push_back(place / set.subfolder);
    }
    return with_subfolders;
  }
  return places;
}

}  // namespace

const std::vector<KnownSet>& known_sets() {
  static const std::vector<KnownSet> sets = make_known_sets();
  return sets;
}

const KnownSet* known_set(const std::string& name) {
  const auto found = std::ranges::find_if(known_sets(), [&](const KnownSet& set) { return set.info.name == name; });
  return found == known_sets().end() ? nullptr : &*found;
}

std::filesystem::path find_known_set(const KnownSet& set, const std::filesystem::path& data_dir) {
  std::vector<std::string> looked;
  for (const auto& place : places_of(set, data_dir)) {
    const bool here = std::any_of(set.markers.begin(), set.markers.end(), [&](const std::string& marker) {
      std::error_code error;
      return std::filesystem::is_regular_file(place / marker, error);
    });
    if (here) {
      return place;
    }
    looked.push_back(fmt::format("'{}'", place.string()));
  }
  throw InputError(
      fmt::format("data set {} is in none of the places looked at ({}): {}, or name its folder with --data-dir",
                  set.info.name, fmt::join(looked, ", "), set.how_to_get));
}

}  // namespace resist
