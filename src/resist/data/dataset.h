#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "resist/config/config.h"
#include "resist/data/framing.h"

namespace resist {

// What is known of a data set, the same for its training and test parts.
struct DatasetInfo {
  std::string name;
  int channels = 0;
  int height = 0;  // of the network's input, pixels
  int width = 0;
  int classes = 0;
  std::vector<std::string> class_names;  // empty or one per class
  std::vector<float> mean;               // per channel, of pixels scaled to [0, 1]
  std::vector<float> stddev;
  int crop_padding = 0;  // the usual augmentation
  bool flip = false;
  bool own_sizes = false;  // pictures have sizes of their own: a part of each is cut out and resampled
  bool decodes = false;    // reading one takes long enough to be worth several threads

  PictureSize input_size() const { return {.height = height, .width = width}; }
  // Values of one input.
  std::size_t input_values() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  }
  // What evaluation looks at.
  Framing evaluation_framing() const { return own_sizes ? Framing::centre() : Framing::whole(); }
};

// Labelled pictures. Immutable after construction; every method may be called from several threads.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::int64_t size() const = 0;
  virtual std::int64_t label(std::int64_t index) const = 0;
  // The part of the picture that `framing` asks for, at the input's size: channels * height * width values 0..255,
  // channel by channel. They lie in `buffer`, which has that size, or where the data set holds them already. Empty: the
  // picture is damaged, and --skip-corrupt lets it be left out. InputError names one that can't be read.
  virtual std::span<const std::uint8_t> read(std::int64_t index, const Framing& framing,
                                             std::span<std::uint8_t> buffer) const = 0;
};

// A test set.
struct TestSet {
  std::string name;
  std::shared_ptr<const Dataset> dataset;
};

struct DataSource {
  DatasetInfo info;
  std::shared_ptr<const Dataset> train;     // without the held-out samples
  std::shared_ptr<const Dataset> held_out;  // --holdout; null: none
  std::shared_ptr<const Dataset> test;
  std::vector<TestSet> further;  // --eval NAME=PATH, in the order given

  // What a run is judged by meanwhile: the held-out samples if there are any, otherwise the test set.
  const std::shared_ptr<const Dataset>& evaluation() const { return held_out ? held_out : test; }
};

// Opens the data set that the options name: fashion-mnist, mnist, kmnist, cifar10, cifar100, a folder with train/ and
// test/ or val/ (image_folder.h), a packed file (packed.h), or synthetic:N,C,H,W,CLASSES; and the further test sets.
// `image_size`: height and width of the network's input where pictures have sizes of their own; 0: what suits the data.
// The held-out samples and a synthetic set depend on `seed`. InputError says what is missing or wrong, in which file,
// and where data sets are looked for.
DataSource open_data(const DataOptions& options, const std::vector<std::string>& further, int image_size,
                     std::uint64_t seed);

}  // namespace resist
