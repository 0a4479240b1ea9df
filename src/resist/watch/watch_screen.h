#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "resist/telemetry/round_record.h"
#include "resist/watch/run_figures.h"
#include "resist/watch/styled_line.h"

namespace resist {

enum class RunState {
  starting,     // a process holds the folder, and no round is done yet
  running,      // a process holds the folder
  finishing,    // all rounds are done, and a process still holds the folder: it evaluates and calibrates
  ended,        // all rounds are done
  interrupted,  // rounds are left, and no process of this machine holds the folder
  elsewhere,    // no process of this machine holds the folder, and yet rounds come
};

// All that a screen shows of a run.
struct WatchedRun {
  std::string name;  // the folder, as the user gave it
  RunAim aim;
  RunState state = RunState::starting;
  std::span<const RoundRecord> records;
  std::optional<double> seconds_silent;  // since the last round was written
  std::string problem;                   // with the files; empty: none
};

struct ScreenSize {
  int columns = 80;
  int rows = 24;
};

// The screen: at most `rows` lines of at most `columns` cells (and escape sequences where the style has colour). What
// has no room is left out, the least needed first: blank lines, workers, curves, columns of the table. Pure.
std::vector<std::string> watch_screen(const WatchedRun& run, ScreenSize size, const ScreenStyle& style);

// The same without curves, as plain lines that are not cut.
std::vector<std::string> watch_summary(const WatchedRun& run);

}  // namespace resist
