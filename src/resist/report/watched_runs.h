#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "resist/report/run_history.h"

namespace resist {

// Runs that may still be training, and the newest report about them.
class WatchedRuns {
 public:
  // Reads the runs. A folder that a run is about to begin in (an empty one) counts as one without a round. InputError
  // where a folder can be no run's, where a run is given twice or can't be read.
  // `most_share`: the share of a core's time that reading them again may take; a long run's many rounds take a while.
  explicit WatchedRuns(const std::vector<std::filesystem::path>& run_dirs, double most_share = 0.05);

  // Reads again what has changed on the disk. A run that can't be read now stays as it was, with its problem named.
  void look();

  const std::vector<RunHistory>& runs() const { return runs_; }
  const std::string& json() const { return json_; }  // report_json()
  const std::string& tag() const { return tag_; }    // changes exactly if json() does

 private:
  using Clock = std::chrono::steady_clock;

  // What tells a file's states apart.
  struct FileState {
    std::uint64_t inode = 0;  // 0: there is none
    std::int64_t size = 0;
    std::int64_t modified = 0;  // nanoseconds
    bool operator==(const FileState&) const = default;
  };
  struct RunState {
    FileState config;
    FileState metrics;
    bool operator==(const RunState&) const = default;
  };

  static FileState state_of(const std::filesystem::path& file);
  static RunState state_of_run(const std::filesystem::path& run_dir);
  RunHistory read(std::size_t run) const;
  void renew_json();

  std::vector<std::string> names_;
  std::vector<RunHistory> runs_;
  std::vector<RunState> states_;  // that runs_ were read in
  std::string json_;
  std::string tag_;
  double most_share_;
  Clock::time_point next_look_;
};

}  // namespace resist
