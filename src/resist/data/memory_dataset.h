#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "resist/data/dataset.h"

namespace resist {

// Pictures held in memory, one after another, each channel by channel.
class MemoryDataset : public Dataset {
 public:
  // pixels.size() is labels.size() * picture_bytes.
  MemoryDataset(std::vector<std::uint8_t> pixels, std::vector<std::uint8_t> labels, std::size_t picture_bytes);

  std::int64_t size() const override { return static_cast<std::int64_t>(labels_.size()); }
  std::int64_t label(std::int64_t index) const override { return labels_.at(static_cast<std::size_t>(index)); }
  void read(std::int64_t index, std::span<std::uint8_t> pixels) const override;

 private:
  std::vector<std::uint8_t> pixels_;
  std::vector<std::uint8_t> labels_;
  std::size_t picture_bytes_;
};

}  // namespace resist
