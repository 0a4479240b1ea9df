#include "resist/data/memory_dataset.h"

#include <fmt/format.h>

#include <utility>

#include "resist/core/error.h"
#include "resist/data/resample.h"

namespace resist {

MemoryDataset::MemoryDataset(std::vector<std::uint8_t> pixels, std::vector<std::uint8_t> labels,
                             const PictureSize& size, int channels)
    : pixels_(std::move(pixels)),
      labels_(std::move(labels)),
      size_(size),
      picture_bytes_(static_cast<std::size_t>(channels) * static_cast<std::size_t>(size.height) *
                     static_cast<std::size_t>(size.width)) {
  if (pixels_.size() != labels_.size() * picture_bytes_) {
    throw Error(fmt::format("{} bytes of pixels do not make {} pictures of {} bytes", pixels_.size(), labels_.size(),
                            picture_bytes_));
  }
}

std::span<const std::uint8_t> MemoryDataset::read(std::int64_t index, const Framing& framing,
                                                  std::span<std::uint8_t> buffer) const {
  const auto picture = static_cast<std::size_t>(index);
  if (picture >= labels_.size() || buffer.size() != picture_bytes_) {
    throw Error(fmt::format("can't read {} bytes of picture {}: there are {} pictures of {} bytes", buffer.size(),
                            index, labels_.size(), picture_bytes_));
  }
  const auto pixels = std::span(pixels_).subspan(picture * picture_bytes_, picture_bytes_);
  return frame_pixels(pixels, size_, framing, size_, buffer);
}

}  // namespace resist
