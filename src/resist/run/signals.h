#pragma once

#include <atomic>

namespace resist {

// Installs handlers for SIGINT, SIGTERM and SIGUSR1: the first one is stored in the returned number, for the round to
// be finished and a checkpoint written; another one, half a second later or more, ends the process at once with
// 128 + n. SIGPIPE is ignored from then on. `speaks`: the first SIGINT is answered on standard error, since a round may
// take long.
const std::atomic<int>& watch_signals(bool speaks);

}  // namespace resist
