#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace resist {

// The whole program: `args` are the arguments after its name. Results and progress go to `out`, errors as one line to
// `err`. Returns the exit code (docs/errors.md); never throws.
int run_cli(const std::vector<std::string>& args, std::ostream& out, std::ostream& err);

}  // namespace resist
