#pragma once

#include <filesystem>

#include "resist/train/trainer.h"

namespace resist {

// What a worker has after each commit, for finding out afterwards whether the workers of a job ever had different
// values for one thing: a line a commit in FOLDER/worker-IDENTITY.jsonl with the generation and its members, the round,
// and checksums of the shared parameters and of every block that the worker holds. FOLDER is the variable
// RESIST_JOURNAL; without it nothing is written.
class Journal {
 public:
  Journal();
  void note(Trainer& trainer) const;

 private:
  std::filesystem::path folder_;  // empty: none
};

}  // namespace resist
