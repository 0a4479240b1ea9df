#pragma once

#include <filesystem>
#include <memory>

#include "resist/train/trainer.h"

namespace resist {

// Writes one round down so that another program can replay it (--record-round): RUN/record/worker-W.safetensors with
// the sub-network's parameters before the round ("before.NAME"), each iteration's pictures and labels ("I.images",
// "I.labels"), and the parameters that this worker holds after the synchronisation ("after.NAME"); the metadata has
// the settings that matter and each iteration's learning rate.
class RoundRecorder {
 public:
  RoundRecorder(const std::filesystem::path& run_dir, std::int64_t round);
  ~RoundRecorder();

  void round_starts(Trainer& trainer);
  void batch_used(Trainer& trainer, const Batch& batch, double learning_rate);
  void round_committed(Trainer& trainer);

 private:
  struct Recording;
  bool active(const Trainer& trainer) const;

  std::filesystem::path folder_;
  std::int64_t round_;
  std::unique_ptr<Recording> recording_;
};

}  // namespace resist
