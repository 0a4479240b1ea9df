#pragma once

#include <string>
#include <vector>

#include "resist/report/run_history.h"

namespace resist {

struct DifferingOption {
  std::string name;
  std::vector<std::string> values;  // a run each, as a flag would give it; empty: the run has no options yet
};

// The options that set the runs apart, in the option table's order, without those that only say where a run lies.
std::vector<DifferingOption> differing_options(const std::vector<RunHistory>& runs);

// What a reader must know before comparing the runs or trusting their sums: a sentence each. Nothing if all is well.
std::vector<std::string> report_notes(const std::vector<RunHistory>& runs);

}  // namespace resist
