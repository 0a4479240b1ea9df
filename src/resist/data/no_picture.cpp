#include <fmt/format.h>

#include "resist/core/error.h"
#include "resist/data/picture.h"

namespace resist {
namespace {

constexpr const char* kReason = "this resist was built without JPEG and PNG; build it with -DRESIST_WITH_PICTURES=ON";

[[noreturn]] void refuse() {
  throw InputError(kReason);
}

}  // namespace

PictureFormat picture_format(std::string_view /*file*/) {
  refuse();
}

void read_picture(std::string_view /*file*/, const Framing& /*framing*/, const PictureFormat& /*input*/,
                  std::span<std::uint8_t> /*pixels*/) {
  refuse();
}

std::string shrink_picture(std::string_view /*file*/, int /*shorter_side*/) {
  refuse();
}

std::string read_picture_file(const std::filesystem::path& path) {
  throw InputError(fmt::format("can't read picture '{}': {}", path.string(), kReason));
}

}  // namespace resist
