#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "resist/telemetry/history.h"
#include "resist/telemetry/round_record.h"

namespace resist {

// The folder that a run writes, locked against other processes as long as this lives: config.toml (as resolved),
// metrics.jsonl, history.jsonl, resist.log, checkpoints/.
class RunFolder {
 public:
  // Makes a new folder that its owner alone can enter; InputError if it exists and is not empty (a run is never
  // overwritten) or can't be written. Of two runs started at once on the same folder one gets it. Nothing stays behind
  // when it fails.
  static RunFolder create(const std::filesystem::path& path, const std::string& config_toml);
  // The part of create()'s checks that can be made without writing; for finding a mistake before workers start.
  static void require_new(const std::filesystem::path& path);
  // Opens an existing run; from now on nobody else changes it. InputError if it is not a run's folder.
  static RunFolder open(const std::filesystem::path& path);
  // The same of a run under way, from a worker that was lost. Where that one still holds it, stopped or cut off, it is
  // not waited for: when it goes on it finds out, and ends.
  static RunFolder take_over(const std::filesystem::path& path);
  // The default for a new run: runs/<name>, or runs/<name>-2, ... the first that does not exist.
  static std::filesystem::path free_path(const std::string& name);

  RunFolder(RunFolder&& other) noexcept;
  RunFolder& operator=(RunFolder&& other) noexcept;
  ~RunFolder();

  const std::filesystem::path& path() const { return path_; }
  // Makes the run one that ended after committed round `round`: metrics and commits of later rounds and a torn last
  // line are cut off (atomically). `config_toml` replaces the stored options, so that a later resume goes on with what
  // was changed this time. InputError if the metrics can't be read.
  void go_on_after(std::int64_t round, const std::string& config_toml);
  // Appends one line to metrics.jsonl; it survives the death of this process. Where it can't be written (disk full), a
  // warning says so, and it is kept and written together with the next one.
  void append(const RoundRecord& record);
  // The same for history.jsonl. A commit goes there before its round's metrics.
  void append(const HistoryRecord& record);
  // Writes the lines that are still kept. Error names the file where they can't be, and leaves no half line.
  void write_waiting();

 private:
  struct Lock;
  class LineFile;

  RunFolder(std::filesystem::path path, std::unique_ptr<Lock> lock);

  std::filesystem::path path_;
  std::unique_ptr<Lock> lock_;
  std::unique_ptr<LineFile> metrics_;
  std::unique_ptr<LineFile> history_;
};

// All rounds in RUN/metrics.jsonl; a last line without its newline was torn by a crash and is left out. InputError
// names a line that can't be read.
std::vector<RoundRecord> read_metrics(const std::filesystem::path& run_dir);

// All of RUN/history.jsonl, in the same way.
std::vector<HistoryRecord> read_history(const std::filesystem::path& run_dir);

}  // namespace resist
