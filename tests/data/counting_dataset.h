#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "resist/data/dataset.h"

namespace resist {

// Sample i has label i and pixels i, i + 1, ...; so every sample can be told from the others. Reading a broken one
// throws; a damaged one is left out.
class CountingDataset : public Dataset {
 public:
  explicit CountingDataset(std::int64_t size, std::set<std::int64_t> broken = {}, std::set<std::int64_t> damaged = {})
      : size_(size), broken_(std::move(broken)), damaged_(std::move(damaged)) {}
  std::int64_t size() const override { return size_; }
  std::int64_t label(std::int64_t index) const override { return index; }
  std::span<const std::uint8_t> read(std::int64_t index, const Framing& /*framing*/,
                                     std::span<std::uint8_t> pixels) const override {
    if (broken_.contains(index)) {
      throw std::runtime_error("sample " + std::to_string(index) + " is broken");
    }
    if (damaged_.contains(index)) {
      return {};
    }
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      pixels[i] = static_cast<std::uint8_t>(static_cast<std::size_t>(index) + i);
    }
    return pixels;
  }

 private:
  std::int64_t size_;
  std::set<std::int64_t> broken_;
  std::set<std::int64_t> damaged_;
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
