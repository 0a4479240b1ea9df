#include "resist/report/watched_runs.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "resist/core/clock.h"
#include "resist/core/error.h"
#include "resist/core/hash.h"
#include "resist/report/report_json.h"

namespace resist {
namespace {

constexpr double kLongestPause = 3600;  // seconds

namespace fs = std::filesystem;

constexpr const char* kConfigFile = "config.toml";
constexpr const char* kMetricsFile = "metrics.jsonl";

// A run makes its folder, claims it by an empty metrics.jsonl, and then writes its config.
bool about_to_begin(const fs::path& run_dir) {
  std::error_code problem;
  return fs::is_directory(run_dir, problem) && !fs::exists(run_dir / kConfigFile, problem) &&
         (fs::is_empty(run_dir, problem) || fs::exists(run_dir / kMetricsFile, problem)) && !problem;
}

}  // namespace

WatchedRuns::WatchedRuns(const std::vector<fs::path>& run_dirs, double most_share)
    : names_(run_names(run_dirs)), most_share_(most_share) {
  for (const fs::path& run_dir : run_dirs) {
    states_.push_back(state_of_run(run_dir));  // before it is read, so that no change is missed
    runs_.push_back({.path = run_dir});
    runs_.back() = read(runs_.size() - 1);
  }
  renew_json();
}

void WatchedRuns::look() {
  if (Clock::now() < next_look_) {
    return;
  }
  const Stopwatch watch;
  bool changed = false;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    const RunState state = state_of_run(runs_[i].path);
    if (state == states_[i]) {
      continue;
    }
    states_[i] = state;
    changed = true;
    try {
      runs_[i] = read(i);
    } catch (const std::exception& error) {
      runs_[i].problem = error.what();
    }
  }
  if (changed) {
    renew_json();
    const double pause = watch.seconds() * (1 / most_share_ - 1);
    next_look_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                    std::chrono::duration<double>(std::min(pause, kLongestPause)));
  }
}

WatchedRuns::FileState WatchedRuns::state_of(const fs::path& file) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    return {};
  }
  return {.inode = status.st_ino,
          .size = status.st_size,
          .modified = std::int64_t{status.st_mtim.tv_sec} * kSecond + status.st_mtim.tv_nsec};
}

WatchedRuns::RunState WatchedRuns::state_of_run(const fs::path& run_dir) {
  return {.config = state_of(run_dir / kConfigFile), .metrics = state_of(run_dir / kMetricsFile)};
}

RunHistory WatchedRuns::read(std::size_t run) const {
  const fs::path& path = runs_[run].path;
  RunHistory history = about_to_begin(path) ? RunHistory{.path = path} : read_run_history(path);
  history.name = names_[run];
  return history;
}

void WatchedRuns::renew_json() {
  json_ = report_json(runs_);
  tag_ = hash_text(json_);
}

}  // namespace resist
