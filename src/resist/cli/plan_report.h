#pragma once

#include <iosfwd>

#include "resist/cli/parse.h"

namespace resist {

// Predicts and prints what `resist plan` asks for. InputError where a dealing is impossible.
void print_plan(const PlanCommand& command, std::ostream& out);

}  // namespace resist
