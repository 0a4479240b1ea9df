#include "resist/run/export_run.h"

#include <fmt/format.h>

#include "resist/checkpoint/calibration.h"
#include "resist/checkpoint/checkpoint.h"
#include "resist/core/error.h"
#include "resist/export/deployed_model.h"
#include "resist/run/stored_network.h"
#include "resist/train/training_setup.h"

namespace resist {

ExportReport run_export(const std::filesystem::path& run_dir, const std::string& which, const Config& config,
                        ModelFormat format, std::filesystem::path file) {
  const Checkpoint checkpoint = open_checkpoint(run_dir, which);
  const std::int64_t round = checkpoint.state().round;
  const auto calibration = read_calibration(run_dir, round);
  if (!calibration) {
    throw InputError(fmt::format(
        "round {} has no running statistics, without which one picture can't be classified; make them with: "
        "resist calibrate {}{}",
        round, run_dir.string(), which == "last" ? "" : " --checkpoint " + which));
  }
  const DatasetInfo& info = calibration->info;
  const NetworkSpec spec = make_network_spec(trained_config(checkpoint, config), input_shape(info));
  const DeployedModel model = assemble_model(checkpoint, spec, info, calibration->scales, calibration->statistics);
  if (std::error_code error; file.has_parent_path() && !std::filesystem::is_directory(file.parent_path(), error)) {
    throw InputError(fmt::format("can't write '{}': there is no folder '{}'; make it first", file.string(),
                                 file.parent_path().string()));
  }
  if (file.empty()) {
    file = run_dir / (format == ModelFormat::onnx ? "model.onnx" : "model.safetensors");
  }
  format == ModelFormat::onnx ? write_onnx_model(model, file) : write_safetensors_model(model, file);
  return {.file = std::move(file), .round = round, .parameters = model.layout.total_size()};
}

}  // namespace resist
