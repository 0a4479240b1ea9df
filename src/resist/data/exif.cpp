#include "resist/data/exif.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

namespace resist {
namespace {

constexpr std::string_view kIntroduction{"Exif\0\0", 6};
constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr std::uint32_t kShort = 3;  // a type: two bytes
constexpr std::size_t kEntryBytes = 12;
constexpr int kUpright = 1;

// A TIFF file, which is what follows the introduction.
class TiffBytes {
 public:
  explicit TiffBytes(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  // False if it has neither byte order's mark.
  bool find_byte_order() {
    const std::string_view start(reinterpret_cast<const char*>(bytes_.data()), std::min<std::size_t>(bytes_.size(), 4));
    big_endian_ = start == std::string_view("MM\0\x2A", 4);
    return big_endian_ || start == std::string_view("II\x2A\0", 4);
  }

  // The number in `count` bytes at `offset`; nothing where they are not all there.
  std::optional<std::uint32_t> number(std::size_t offset, std::size_t count) const {
    if (offset > bytes_.size() || count > bytes_.size() - offset) {
      return std::nullopt;
    }
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      value = value << 8 | bytes_[offset + (big_endian_ ? i : count - 1 - i)];
    }
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool big_endian_ = false;
};

}  // namespace

int exif_orientation(std::span<const std::uint8_t> app1) {
  if (app1.size() < kIntroduction.size() || !std::equal(kIntroduction.begin(), kIntroduction.end(), app1.begin())) {
    return kUpright;
  }
  TiffBytes tiff(app1.subspan(kIntroduction.size()));
  if (!tiff.find_byte_order()) {
    return kUpright;
  }
  const std::size_t directory = tiff.number(4, 4).value_or(0);
  const std::size_t entries = tiff.number(directory, 2).value_or(0);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    if (tiff.number(entry, 2) == kOrientationTag) {
      const bool one_short = tiff.number(entry + 2, 2) == kShort && tiff.number(entry + 4, 4) == 1U;
      const std::uint32_t value = tiff.number(entry + 8, 2).value_or(0);
      return one_short && value >= 1 && value <= 8 ? static_cast<int>(value) : kUpright;
    }
  }
  return kUpright;
}

}  // namespace resist
