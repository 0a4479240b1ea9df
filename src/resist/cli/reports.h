#pragma once

#include <iosfwd>

#include "resist/cli/parse.h"
#include "resist/run/evaluate_run.h"

namespace resist {

void print_evaluation(const EvaluateReport& report, OutputFormat format, std::ostream& out);

// Predicts and prints what `resist plan` asks for. InputError where a dealing is impossible.
void print_plan(const PlanCommand& command, std::ostream& out);

}  // namespace resist
