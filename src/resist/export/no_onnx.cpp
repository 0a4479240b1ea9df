#include <fmt/format.h>

#include "resist/core/error.h"
#include "resist/export/deployed_model.h"

namespace resist {

void write_onnx_model(const DeployedModel& /*model*/, const std::filesystem::path& file) {
  throw InputError(
      fmt::format("can't write '{}': this resist was built without ONNX; build it with "
                  "-DRESIST_WITH_ONNX=ON",
                  file.string()));
}

}  // namespace resist
