#include "resist/data/memory_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "resist/core/error.h"

namespace resist {

MemoryDataset::MemoryDataset(std::vector<std::uint8_t> pixels, std::vector<std::uint8_t> labels,
                             std::size_t picture_bytes)
    : pixels_(std::move(pixels)), labels_(std::move(labels)), picture_bytes_(picture_bytes) {
  if (pixels_.size() != labels_.size() * picture_bytes_) {
    throw Error(fmt::format("{} bytes of pixels do not make {} pictures of {} bytes", pixels_.size(), labels_.size(),
                            picture_bytes_));
  }
}

void MemoryDataset::read(std::int64_t index, std::span<std::uint8_t> pixels) const {
  const auto picture = static_cast<std::size_t>(index);
  if (picture >= labels_.size() || pixels.size() != picture_bytes_) {
    throw Error(fmt::format("can't read {} bytes of picture {}: there are {} pictures of {} bytes", pixels.size(),
                            index, labels_.size(), picture_bytes_));
  }
  const auto source = std::span(pixels_).subspan(picture * picture_bytes_, picture_bytes_);
  std::copy(source.begin(), source.end(), pixels.begin());
}

}  // namespace resist
