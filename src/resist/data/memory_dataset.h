#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "resist/data/dataset.h"

namespace resist {

// Pictures of one size held in memory, one after another, each channel by channel. It is the input's size too.
class MemoryDataset : public Dataset {
 public:
  // pixels.size() is labels.size() * channels * the size's height and width.
  MemoryDataset(std::vector<std::uint8_t> pixels, std::vector<std::uint8_t> labels, const PictureSize& size,
                int channels);

  std::int64_t size() const override { return static_cast<std::int64_t>(labels_.size()); }
  std::int64_t label(std::int64_t index) const override { return labels_.at(static_cast<std::size_t>(index)); }
  std::span<const std::uint8_t> read(std::int64_t index, const Framing& framing,
                                     std::span<std::uint8_t> buffer) const override;

 private:
  std::vector<std::uint8_t> pixels_;
  std::vector<std::uint8_t> labels_;
  PictureSize size_;
  std::size_t picture_bytes_;
};

}  // namespace resist
