#include "resist/data/idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "resist/core/error.h"
#include "resist/data/inflating_file.h"
#include "resist/data/memory_dataset.h"

namespace resist {
namespace {

constexpr std::uint32_t kMostItems = 10'000'000;
constexpr std::uint32_t kLargestSide = 1024;
constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 30;

struct IdxArray {
  std::filesystem::path path;
  std::vector<std::uint32_t> sizes;  // items, then height and width of pictures
  std::vector<std::uint8_t> values;
};

std::uint32_t read_big_endian(InflatingFile& file) {
  std::array<std::uint8_t, 4> bytes{};
  file.read(bytes);
  return (std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) | (std::uint32_t{bytes[2]} << 8) | bytes[3];
}

std::filesystem::path find_plain_or_gzip(const std::filesystem::path& folder, const std::string& name) {
  for (const std::string& candidate : {name, name + ".gz"}) {
    std::error_code error;
    if (std::filesystem::exists(folder / candidate, error)) {
      return folder / candidate;
    }
  }
  throw InputError(fmt::format("'{}' has no file {} or {}.gz: put it there", folder.string(), name, name));
}

// An array of unsigned bytes with this many dimensions.
IdxArray read_idx(const std::filesystem::path& path, std::uint32_t dimensions) {
  InflatingFile file(path);
  const std::uint32_t magic = read_big_endian(file);
  const std::uint32_t allowed = 0x0800 | dimensions;
  if (magic != allowed) {
    throw InputError(fmt::format("'{}' is no IDX file of {}: it starts with {:#010x}, not {:#010x}; get the file anew",
                                 path.string(), dimensions == 1 ? "labels" : "pictures", magic, allowed));
  }
  IdxArray array{.path = path, .sizes = {}, .values = {}};
  std::uint64_t bytes = 1;
  for (std::uint32_t dimension = 0; dimension < dimensions; ++dimension) {
    const std::uint32_t size = read_big_endian(file);
    const std::uint32_t largest = dimension == 0 ? kMostItems : kLargestSide;
    if (size < 1 || size > largest) {
      throw InputError(fmt::format("'{}' claims {} {}, but 1 to {} are allowed: get the file anew", path.string(), size,
                                   dimension == 0 ? "items" : (dimension == 1 ? "rows" : "columns"), largest));
    }
    array.sizes.push_back(size);
    bytes *= size;
  }
  if (bytes > kMostBytes) {
    throw InputError(fmt::format("'{}' claims {} bytes of pictures, but at most {} are allowed: get the file anew",
                                 path.string(), bytes, kMostBytes));
  }
  array.values = file.read_rest(bytes);
  return array;
}

void check_labels(const IdxArray& labels, const IdxArray& images, int classes) {
  if (labels.sizes[0] != images.sizes[0]) {
    throw InputError(fmt::format("'{}' has {} labels but '{}' has {} pictures: the files do not belong together",
                                 labels.path.string(), labels.sizes[0], images.path.string(), images.sizes[0]));
  }
  const auto wrong =
      std::find_if(labels.values.begin(), labels.values.end(), [&](int label) { return label >= classes; });
  if (wrong != labels.values.end()) {
    throw InputError(fmt::format("'{}' has label {} at sample {}, but 0 to {} are allowed: get the file anew",
                                 labels.path.string(), *wrong, wrong - labels.values.begin(), classes - 1));
  }
}

struct Part {
  std::filesystem::path images;
  PictureSize size;
  std::shared_ptr<const Dataset> dataset;
};

Part read_part(const std::filesystem::path& folder, const std::string& prefix, int classes) {
  // The small file first: wrong files are found out sooner.
  const IdxArray labels = read_idx(find_plain_or_gzip(folder, prefix + "-labels-idx1-ubyte"), 1);
  IdxArray images = read_idx(find_plain_or_gzip(folder, prefix + "-images-idx3-ubyte"), 3);
  check_labels(labels, images, classes);
  const PictureSize size{.height = static_cast<int>(images.sizes[1]), .width = static_cast<int>(images.sizes[2])};
  return {images.path, size, std::make_shared<MemoryDataset>(std::move(images.values), labels.values, size, 1)};
}

}  // namespace

DataSource open_idx(const DatasetInfo& info, const std::filesystem::path& folder) {
  const Part train = read_part(folder, "train", info.classes);
  const Part test = read_part(folder, "t10k", info.classes);
  if (train.size != test.size) {
    throw InputError(fmt::format(
        "'{}' has pictures of {}x{} (height x width) but '{}' of {}x{}: all must have one size", test.images.string(),
        test.size.height, test.size.width, train.images.string(), train.size.height, train.size.width));
  }
  DataSource source{.info = info, .train = train.dataset, .test = test.dataset};
  source.info.channels = 1;
  source.info.height = train.size.height;
  source.info.width = train.size.width;
  return source;
}

}  // namespace resist
