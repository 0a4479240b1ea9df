#pragma once

#include <iosfwd>
#include <set>
#include <string>
#include <vector>

#include "resist/config/config.h"

namespace resist {

struct TrainRequest {
  Config config;
  std::set<std::string> given;         // options that the user gave, as opposed to defaults
  bool run_elsewhere = false;          // the run to resume has no folder here; worker 0 must have it
  std::vector<std::string> arguments;  // this command's own, for starting workers on this machine
};

// `resist train`: as one worker of a launched job, as a launcher of workers on this machine, or in this process alone.
// Progress goes to `out`, messages to the log. Returns the exit code; throws InputError and Error.
int run_train(const TrainRequest& request, std::ostream& out);

}  // namespace resist
