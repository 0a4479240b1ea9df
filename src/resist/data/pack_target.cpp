#include "resist/data/pack_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace resist {
namespace {

constexpr int kLargestAutomaticSide = 64;  // above it picture files take much less room than pixels

// Whether a sound picture can become a sample.
bool fits(const PictureFormat& format, const PackTarget& target) {
  return target.storage == PackStorage::files ||
         (format.channels <= target.format.channels && (target.resize > 0 || format.size() == target.format.size()));
}

[[noreturn]] void refuse(const std::filesystem::path& path, const PictureFormat& format, const PackTarget& target) {
  throw InputError(
      fmt::format("'{}' is {}x{} pixels (height x width) with {} channels, but the pictures looked at first "
                  "were {}x{} with {}: give --storage files, or make all alike",
                  path.string(), format.height, format.width, format.channels, target.format.height,
                  target.format.width, target.format.channels));
}

PreparedPicture as_file(std::string file, const PictureFormat& format, const PackTarget& target) {
  if (target.resize == 0 || std::min(format.height, format.width) <= target.resize) {
    return {.sample = std::move(file), .format = format, .damage = {}};
  }
  std::string shrunk = shrink_picture(file, target.resize);
  const PictureFormat shrunk_format = picture_format(shrunk);
  return {.sample = std::move(shrunk), .format = shrunk_format, .damage = {}};
}

PreparedPicture as_pixels(const std::string& file, const PictureFormat& format, const PackTarget& target) {
  const Framing framing = format.size() == target.format.size() ? Framing::whole() : Framing::centre();
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(target.format.channels) *
                                   static_cast<std::size_t>(target.format.height) *
                                   static_cast<std::size_t>(target.format.width));
  read_picture(file, framing, target.format, pixels);
  return {.sample = {pixels.begin(), pixels.end()}, .format = target.format, .damage = {}};
}

PreparedPicture make_sample(std::string file, const PictureFormat& format, const PackTarget& target) {
  return target.storage == PackStorage::pixels ? as_pixels(file, format, target)
                                               : as_file(std::move(file), format, target);
}

}  // namespace

PackTarget choose_pack_target(std::span<const PictureFormat> looked_at, PackStorage storage, int resize) {
  const PictureSize size = looked_at.front().size();
  const auto other =
      std::ranges::find_if(looked_at, [&](const PictureFormat& format) { return format.size() != size; });
  const bool one_size = other == looked_at.end();
  if (storage == PackStorage::automatic) {
    const bool small = one_size && std::max(size.height, size.width) <= kLargestAutomaticSide;
    storage = small ? PackStorage::pixels : PackStorage::files;
  }
  PackTarget target{.storage = storage, .format = looked_at.front(), .resize = resize};
  target.format.channels = std::ranges::max_element(looked_at, {}, &PictureFormat::channels)->channels;
  if (resize > 0) {
    target.format.height = target.format.width = resize;
  } else if (storage == PackStorage::pixels && !one_size) {
    throw InputError(
        fmt::format("pixels need pictures of one size, but some are {}x{} (height x width) and some {}x{}: "
                    "give --resize N, or --storage files",
                    size.height, size.width, other->height, other->width));
  }
  return target;
}

PreparedPicture prepare_picture(const std::filesystem::path& path, const PackTarget& target) {
  std::string file;
  PictureFormat format;
  try {
    file = read_picture_file(path);
  } catch (const InputError& error) {
    return {.damage = error};
  }
  try {
    format = picture_format(file);
    if (fits(format, target)) {
      return make_sample(std::move(file), format, target);
    }
  } catch (const InputError& error) {
    return {.damage = InputError(fmt::format("can't use picture '{}': {}", path.string(), error.what()))};
  }
  refuse(path, format, target);
}

}  // namespace resist
