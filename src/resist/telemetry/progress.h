#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include "resist/telemetry/round_record.h"

namespace resist {

struct ProgressOptions {
  std::int64_t total_rounds = 0;
  std::int64_t total_samples = 0;
  bool terminal = false;  // a bar that rewrites its line; otherwise plain lines, at most one every few seconds
  bool color = false;
  int columns = 80;
};

// What the output stream is: a terminal, its width, and whether NO_COLOR allows colour.
ProgressOptions detect_terminal(int file_descriptor);

// Shows a run's progress: round, loss, accuracy, samples/s, bytes, time left. Evaluated rounds always get a line of
// their own that stays.
class Progress {
 public:
  Progress(std::ostream& out, ProgressOptions options);
  void show(const RoundRecord& record);
  void finish();

 private:
  std::ostream& out_;
  ProgressOptions options_;
  double seconds_ = 0;             // of the rounds shown
  double seconds_last_line_ = 0;
  std::int64_t first_samples_ = -1;
  std::int64_t bytes_ = 0;
  bool bar_open_ = false;
};

}  // namespace resist
