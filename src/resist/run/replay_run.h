#pragma once

#include <iosfwd>

#include "resist/config/resolve.h"

namespace resist {

// Trains the run in config.run.replay_membership once more, in this process, with workers that are lost and join where
// its history says so, and compares what comes of each round. Writes a run folder of its own. Returns the exit code:
// kExitFailed where a round's result has other bits; throws InputError and Error.
int run_replay(const ResolvedConfig& resolved, std::ostream& out);

}  // namespace resist
