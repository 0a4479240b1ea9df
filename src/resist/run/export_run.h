#pragma once

#include <filesystem>
#include <string>

#include "resist/config/config.h"

namespace resist {

enum class ModelFormat { safetensors, onnx };

struct ExportReport {
  std::filesystem::path file;
  std::int64_t round = 0;
  std::int64_t parameters = 0;
};

// `resist export`: a run's calibrated checkpoint ("last", "best" or a round) as a file of its own; an empty `file`: in
// the run folder. InputError where the round is not calibrated, or `file` can't be used.
ExportReport run_export(const std::filesystem::path& run_dir, const std::string& which, const Config& config,
                        ModelFormat format, std::filesystem::path file);

}  // namespace resist
