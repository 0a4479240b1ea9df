#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "resist/config/resolve.h"

namespace resist {

// `resist train`: as one worker of a launched job, as a launcher of workers on this machine, or in this process alone.
// `arguments` are this command's own, for starting workers on this machine. Progress goes to `out`, messages to the
// log. Returns the exit code; throws InputError and Error.
int run_train(const ResolvedConfig& resolved, const std::vector<std::string>& arguments, std::ostream& out);

}  // namespace resist
