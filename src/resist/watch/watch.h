#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>

#include "resist/config/config.h"
#include "resist/telemetry/metrics_tail.h"
#include "resist/telemetry/run_lock.h"
#include "resist/watch/watch_screen.h"

namespace resist {

// Looks at a run's folder again and again; changes nothing there.
class RunView {
 public:
  // InputError if it is not the folder of a run.
  explicit RunView(std::filesystem::path run_dir);

  void look();
  // As of the last look; valid until the next one.
  WatchedRun run() const;

 private:
  void read_config();

  std::filesystem::path run_dir_;
  MetricsTail metrics_;
  RunAim aim_;
  std::optional<std::filesystem::file_time_type> config_written_;
  RunLock lock_ = RunLock::unknown;
  bool grew_unlocked_ = false;
};

RunAim aim_of(const Config& config);

// What the run is doing, as far as this machine can tell. `grew_unlocked`: rounds came while nobody here held it.
RunState state_of(RunLock lock, bool grew_unlocked, bool any_round, bool finished);

// Whether the environment's locale is a UTF-8 one and the terminal has more than the kernel console's characters.
bool terminal_shows_unicode();

// Shows the run on the terminal until the user ends it with q or Ctrl-C. Where `out` is not the terminal, or with
// `once`: prints a summary there and returns. InputError if it is not the folder of a run.
void watch_run(const std::filesystem::path& run_dir, bool once, std::ostream& out);

}  // namespace resist
