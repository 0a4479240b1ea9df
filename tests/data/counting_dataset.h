#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "resist/data/dataset.h"

namespace resist {

// Sample i has label i and pixels i, i + 1, ...; so every sample can be told from the others.
class CountingDataset : public Dataset {
 public:
  explicit CountingDataset(std::int64_t size, std::int64_t broken = -1) : size_(size), broken_(broken) {}
  std::int64_t size() const override { return size_; }
  std::int64_t label(std::int64_t index) const override { return index; }
  void read(std::int64_t index, std::span<std::uint8_t> pixels) const override {
    if (index == broken_) {
      throw std::runtime_error("sample is broken");
    }
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      pixels[i] = static_cast<std::uint8_t>(static_cast<std::size_t>(index) + i);
    }
  }

 private:
  std::int64_t size_;
  std::int64_t broken_;
};

// mean 0 and stddev 1/255: the network's input is the pixel value.
inline DatasetInfo plain_info(int channels, int height, int width) {
  DatasetInfo info;
  info.name = "counting";
  info.channels = channels;
  info.height = height;
  info.width = width;
  info.classes = 10;
  info.mean.assign(static_cast<std::size_t>(channels), 0.0F);
  info.stddev.assign(static_cast<std::size_t>(channels), 1.0F / 255);
  return info;
}

}  // namespace resist
