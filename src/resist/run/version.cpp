#include "resist/run/version.h"

#include <fmt/format.h>
#include <torch/version.h>

#include "resist/config/version.h"

namespace resist {

std::string full_version() {
  return fmt::format("resist {} with libtorch {}", version(), TORCH_VERSION);
}

}  // namespace resist
