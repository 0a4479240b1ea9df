#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

#include "resist/telemetry/round_record.h"

namespace resist {

struct ProgressOptions {
  std::int64_t total_rounds = 0;   // 0: not known
  std::int64_t total_samples = 0;  // 0: not known, then no time left is shown
  std::int64_t bytes_before = 0;   // sent in rounds before the first that is shown
  bool terminal = false;           // a bar that rewrites its line; otherwise plain lines
  bool color = false;
  int columns = 80;  // of the terminal
};

// What the output stream is: a terminal (that knows escape sequences), its width, and whether NO_COLOR allows colour.
// The totals are left for the caller.
ProgressOptions detect_terminal(int file_descriptor);

// Shows a run's progress: round, loss, accuracy, samples/s, bytes that all workers have sent, time left. Evaluated
// rounds and the last one always get a line of their own that stays. Others: on a terminal one line with a bar, cut to
// the width, that the next rewrites; elsewhere a plain line at most every 10 seconds of the run. Plain ASCII.
//
// Time is what the records say, no clock is read: a round takes seconds_compute + seconds_sync + seconds_evaluation.
// (Waiting is no extra time: who waits longest is who computed shortest.)
class Progress {
 public:
  Progress(std::ostream& out, ProgressOptions options);
  void show(const RoundRecord& record);
  // Where other workers go on, the rounds are other ones.
  void set_length(std::int64_t total_rounds, std::int64_t total_samples);
  // Ends the bar's line; shows the last round if it has not been.
  void finish();

 private:
  void add(const RoundRecord& record);
  std::string describe(const RoundRecord& record) const;
  std::string bar(const std::string& description, std::int64_t round) const;
  void print_line(const std::string& description);

  std::ostream& out_;
  ProgressOptions options_;
  double seconds_ = 0;  // of the rounds shown
  double seconds_training_ = 0;
  double seconds_last_line_ = 0;
  std::int64_t samples_before_ = -1;  // trained on before the first round shown (resumed runs); -1: none shown yet
  std::int64_t samples_ = 0;
  std::int64_t bytes_ = 0;
  std::optional<double> accuracy_;
  std::string pending_;  // the description of a last round that has no line yet
  bool bar_open_ = false;
};

}  // namespace resist
