#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resist/telemetry/round_record.h"

namespace resist {

// Reads a run's metrics.jsonl while it grows: a look reads only the lines that came since the last one. A resumed run
// cuts its file (RunFolder::go_on_after): then everything is read anew. A last line without its newline is still being
// written, or was torn by a crash; it is read once it is whole.
class MetricsTail {
 public:
  explicit MetricsTail(const std::filesystem::path& run_dir);

  // Reads what is new; says whether records() or problem() changed. Does not wait and does not throw for what a file
  // may hold.
  bool look();
  const std::vector<RoundRecord>& records() const { return records_; }
  // Why there is no file, or which line could not be read (it is left out); empty: all is well.
  const std::string& problem() const { return problem_; }
  // When the file was last written; nothing where there is none.
  std::optional<std::chrono::system_clock::time_point> written() const { return written_; }

 private:
  bool look_into(int descriptor);
  void start_again();
  void add_line(std::string_view line);

  std::filesystem::path file_;
  std::vector<RoundRecord> records_;
  std::string problem_;
  std::optional<std::chrono::system_clock::time_point> written_;
  dev_t device_ = 0;
  ino_t inode_ = 0;          // a cut file is another one of the same name
  std::int64_t offset_ = 0;  // behind the last whole line
  std::int64_t lines_ = 0;
};

}  // namespace resist
