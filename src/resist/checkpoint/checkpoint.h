#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "resist/checkpoint/safetensors.h"

namespace resist {

// Everything about a committed round except tensors. Stored as manifest.json (manifest.h has its keys). Doubles come
// back as the same bits; non-finite ones become null.
struct CheckpointState {
  std::int64_t round = 0;                           // committed rounds
  std::int64_t iteration = 0;                       // optimizer steps each worker has taken
  std::int64_t samples = 0;                         // trained on by all workers together
  std::int64_t stream_position = 0;                 // of the next batch, see BatchSchedule
  std::vector<std::int64_t> returned_batches = {};  // stream positions of those to be served before it
  int workers = 0;                                  // S of the run that wrote it
  std::vector<double> block_scale;                  // evaluation scale per deck (docs/algorithm.md)
  // With --balance, by worker: the blocks of each deck that it holds from now on, and how fast it was lately (seconds
  // an operation, its last rounds). Otherwise empty.
  std::vector<std::vector<int>> hands;
  std::vector<std::vector<double>> paces;
  std::optional<double> accuracy;  // top-1 in [0, 1], if it was evaluated at this round
  nlohmann::json config;           // resolved options, as config stores them
};

// A checkpoint being written: RUN/checkpoints/.round-000120.tmp, renamed to round-000120 by commit(), which replaces a
// checkpoint of the same round (checkpoint_folder.h says how). A process killed at any moment leaves the old state or
// the new one. One writer per run at a time. Every call throws Error (disk full and the like) naming the file, and
// then nothing but destroying the writer is of use: the unfinished folder is removed by the destructor, or by the next
// writer after a crash; other checkpoints are untouched.
class CheckpointWriter {
 public:
  CheckpointWriter(const std::filesystem::path& run_dir, CheckpointState state);
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  // Starts the part NAME.safetensors (NAME of a-z, A-Z, 0-9, _, -); finish the one before first. The reference is valid
  // until the next call.
  SafetensorsWriter& begin_part(const std::string& name, const std::vector<TensorSpec>& tensors);
  void finish_part();
  // Manifest (with every part's size and checksum) written last and synced, folder renamed into place and synced.
  void commit();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A complete checkpoint on disk.
class Checkpoint {
 public:
  // Reads the manifest and checks every part's size and checksum; InputError names the file that is damaged.
  explicit Checkpoint(const std::filesystem::path& folder);

  const CheckpointState& state() const { return state_; }
  const std::filesystem::path& folder() const { return folder_; }
  bool has_part(const std::string& name) const;
  SafetensorsReader part(const std::string& name) const;

 private:
  std::filesystem::path folder_;
  CheckpointState state_;
  std::vector<std::string> parts_;
};

// Opens a run's checkpoint: "last", "best" (highest accuracy, the newest of equals; last if none was evaluated) or a
// round number. For "last" and "best" a damaged one is named in a warning and the next in order is used; a damaged one
// asked for by number is an InputError. InputError when there is none, listing the rounds there are.
Checkpoint open_checkpoint(const std::filesystem::path& run_dir, const std::string& which);

// Rounds with a complete checkpoint, ascending. Looks at manifests and sizes, not at the parts' checksums.
std::vector<std::int64_t> checkpoint_rounds(const std::filesystem::path& run_dir);

// Whether the run has any checkpoint, complete or damaged.
bool has_checkpoints(const std::filesystem::path& run_dir);

// Removes the checkpoints of rounds after `round` and leftovers of unfinished ones: a run that goes on from `round`
// makes its own. What can't be removed is a warning.
void remove_checkpoints_after(const std::filesystem::path& run_dir, std::int64_t round);

// Removes all but the newest `keep` (at least 1) complete checkpoints and the best one, and leftovers of unfinished
// ones. Damaged ones newer than those kept stay. What can't be removed is a warning, not an error.
void prune_checkpoints(const std::filesystem::path& run_dir, int keep);

}  // namespace resist
