#include <fmt/format.h>

#include "resist/core/error.h"
#include "resist/data/picture.h"

namespace resist {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path) {
  throw InputError(
      fmt::format("can't read picture '{}': this resist was built without JPEG and PNG; build it with "
                  "-DRESIST_WITH_PICTURES=ON",
                  path.string()));
}

}  // namespace

PictureFormat picture_format(const std::filesystem::path& path) {
  refuse(path);
}

void read_picture(const std::filesystem::path& path, const PictureFormat& /*expected*/,
                  std::span<std::uint8_t> /*pixels*/) {
  refuse(path);
}

}  // namespace resist
