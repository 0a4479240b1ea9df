#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "resist/checkpoint/checkpoint.h"
#include "resist/checkpoint/checkpoint_folder.h"
#include "resist/checkpoint/manifest.h"
#include "resist/core/error.h"
#include "resist/core/file.h"
#include "resist/core/json_text.h"

namespace resist {

namespace fs = std::filesystem;

struct CheckpointWriter::Impl {
  Impl(const fs::path& run_folder, CheckpointState state)
      : run_dir(run_folder), manifest{std::move(state), {}}, folder(unfinished_folder(run_dir, manifest.state.round)) {}
  ~Impl() {
    part.reset();
    if (!committed) {
      std::error_code ignored;  // the next writer tries again
      fs::remove_all(folder, ignored);
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void require_no_open_part(const char* operation) const {
    if (part || committed) {
      throw Error(fmt::format("can't {} of '{}': {}", operation, folder.string(),
                              committed ? "the checkpoint is committed" : "finish_part() must come first"));
    }
  }

  fs::path run_dir;
  Manifest manifest;
  fs::path folder;
  std::string part_name;
  std::unique_ptr<SafetensorsWriter> part;
  bool committed = false;
};

CheckpointWriter::CheckpointWriter(const fs::path& run_dir, CheckpointState state)
    : impl_(std::make_unique<Impl>(run_dir, std::move(state))) {
  if (impl_->manifest.state.round < 0) {
    throw Error(fmt::format("can't write a checkpoint of round {}: rounds start at 0", impl_->manifest.state.round));
  }
  std::error_code problem;
  const bool created = fs::create_directories(checkpoints_folder(run_dir), problem);
  if (created) {
    sync_folder(run_dir);
  }
  if (!problem) {
    mend_checkpoints_folder(run_dir);
    fs::create_directory(impl_->folder, problem);
  }
  if (problem) {
    throw Error(fmt::format("can't create the folder '{}': {}", impl_->folder.string(), problem.message()));
  }
}

CheckpointWriter::~CheckpointWriter() = default;

SafetensorsWriter& CheckpointWriter::begin_part(const std::string& name, const std::vector<TensorSpec>& tensors) {
  impl_->require_no_open_part("begin a part");
  if (!is_part_name(name) || impl_->manifest.parts.contains(name)) {
    throw Error(fmt::format("can't begin the part {}: a name has 1 to 100 of a-z, A-Z, 0-9, _ and -, and comes once",
                            in_quotes(name)));
  }
  impl_->part_name = name;
  const std::map<std::string, std::string> metadata = {{"part", name},
                                                       {"round", std::to_string(impl_->manifest.state.round)}};
  impl_->part = std::make_unique<SafetensorsWriter>(part_path(impl_->folder, name), tensors, metadata);
  return *impl_->part;
}

void CheckpointWriter::finish_part() {
  if (!impl_->part) {
    throw Error(fmt::format("can't finish a part of '{}': none was begun", impl_->folder.string()));
  }
  impl_->manifest.parts[impl_->part_name] = impl_->part->finish();
  impl_->part.reset();
}

void CheckpointWriter::commit() {
  impl_->require_no_open_part("commit the parts");
  OutputFile file(impl_->folder / kManifestFile);
  file.write(format_manifest(impl_->manifest));
  file.sync_and_close();
  sync_folder(impl_->folder);
  install_round_folder(impl_->run_dir, impl_->manifest.state.round);
  impl_->committed = true;
}

}  // namespace resist
