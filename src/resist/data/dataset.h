#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "resist/config/config.h"

namespace resist {

// What is known of a data set, the same for its training and test part.
struct DatasetInfo {
  std::string name;
  int channels = 0;
  int height = 0;  // pixels
  int width = 0;
  int classes = 0;
  std::vector<std::string> class_names;  // empty or one per class
  std::vector<float> mean;               // per channel, of pixels scaled to [0, 1]
  std::vector<float> stddev;
  int crop_padding = 0;  // the usual augmentation
  bool flip = false;
};

// Labelled pictures of one size. Immutable after construction; every method may be called from several threads.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::int64_t size() const = 0;
  virtual std::int64_t label(std::int64_t index) const = 0;
  // Writes channels * height * width values 0..255, channel by channel. InputError names a picture that can't be read.
  virtual void read(std::int64_t index, std::span<std::uint8_t> pixels) const = 0;
};

struct DataSource {
  DatasetInfo info;
  std::shared_ptr<const Dataset> train;       // without the held-out samples
  std::shared_ptr<const Dataset> evaluation;  // the held-out samples if there are any, otherwise `test`
  std::shared_ptr<const Dataset> test;
};

// Opens the data set that the options name (fashion-mnist, mnist, kmnist, cifar10, cifar100, a folder of class folders
// with train/ and test/ or val/, or synthetic:N,C,H,W,CLASSES). The held-out samples and a synthetic set depend on
// `seed`. InputError says what is missing or wrong, in which file, and where data sets are looked for.
DataSource open_data(const DataOptions& options, std::uint64_t seed);

}  // namespace resist
