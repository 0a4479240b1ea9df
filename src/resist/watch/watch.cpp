#include "resist/watch/watch.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

#include "resist/config/enum_words.h"
#include "resist/config/resolve.h"
#include "resist/core/error.h"
#include "resist/telemetry/progress.h"
#include "resist/watch/live_terminal.h"

namespace resist {
namespace {

constexpr const char* kConfigFile = "config.toml";
constexpr auto kBetweenLooks = std::chrono::milliseconds(500);

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void watch_live(RunView& view, bool color) {
  const ScreenStyle style{.color = color, .unicode = terminal_shows_unicode()};
  LiveTerminal terminal;
  bool shown = true;
  do {
    view.look();
    const ScreenSize size = terminal.size();
    shown = terminal.show(watch_screen(view.run(), size, style), size);
  } while (shown && terminal.wait(kBetweenLooks));
}

}  // namespace

RunView::RunView(std::filesystem::path run_dir) : run_dir_(std::move(run_dir)), metrics_(run_dir_) {
  aim_ = aim_of(load_run_config(run_dir_));
  look();
}

void RunView::look() {
  const RunLock before = lock_;
  const std::size_t rounds = metrics_.records().size();
  const bool grew = metrics_.look() && metrics_.records().size() > rounds && rounds > 0;
  lock_ = probe_run_lock(run_dir_);
  // Not held before and after: the process that wrote is not on this machine. (One that ended just now held it before.)
  grew_unlocked_ = lock_ != RunLock::held && (grew_unlocked_ || (grew && before != RunLock::held));
  read_config();
}

// A resumed run may have another aim.
void RunView::read_config() {
  std::error_code problem;
  const auto written = std::filesystem::last_write_time(run_dir_ / kConfigFile, problem);
  if (problem || written == config_written_) {
    return;
  }
  config_written_ = written;
  try {
    aim_ = aim_of(load_run_config(run_dir_));
  } catch (const InputError&) {
    // Somebody edits it: what it said before is still the run's aim.
  }
}

WatchedRun RunView::run() const {
  WatchedRun run{.name = run_dir_.string(), .aim = aim_, .records = metrics_.records(), .problem = metrics_.problem()};
  const bool finished = figures_of(aim_, run.records).finished;
  run.state = state_of(lock_, grew_unlocked_, !run.records.empty(), finished);
  if (metrics_.written()) {
    run.seconds_silent = std::chrono::duration<double>(std::chrono::system_clock::now() - *metrics_.written()).count();
    run.seconds_silent = std::max(0.0, *run.seconds_silent);  // clocks of file servers may be ahead
  }
  return run;
}

RunAim aim_of(const Config& config) {
  return {.method = std::string(to_word(config.train.method)),
          .model = config.model.model,
          .data = config.data.data,
          .epochs = config.train.epochs,
          .rounds = config.train.rounds,
          .eval_every = config.evaluation.eval_every,
          .overlap = config.sync.overlap || config.train.method == Method::data_parallel};
}

RunState state_of(RunLock lock, bool grew_unlocked, bool any_round, bool finished) {
  if (lock == RunLock::held) {
    return finished ? RunState::finishing : any_round ? RunState::running : RunState::starting;
  }
  if (finished) {
    return RunState::ended;
  }
  return grew_unlocked ? RunState::elsewhere : RunState::interrupted;
}

bool terminal_shows_unicode() {
  std::string locale = variable("LC_ALL");
  locale = locale.empty() ? variable("LC_CTYPE") : locale;
  locale = locale.empty() ? variable("LANG") : locale;
  std::ranges::transform(locale, locale.begin(), [](unsigned char letter) { return std::tolower(letter); });
  const bool utf8 = locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  return utf8 && variable("TERM") != "linux";
}

void watch_run(const std::filesystem::path& run_dir, bool once, std::ostream& out) {
  RunView view(run_dir);
  const ProgressOptions terminal = detect_terminal(STDOUT_FILENO);
  if (!once && terminal.terminal && out.rdbuf() == std::cout.rdbuf()) {
    watch_live(view, terminal.color);
  }
  // After the live screen too: its last state stays in sight.
  for (const std::string& line : watch_summary(view.run())) {
    out << line << '\n';
  }
}

}  // namespace resist
