#pragma once

#include <optional>
#include <string>
#include <vector>

#include "resist/report/run_history.h"

namespace resist {

enum class FigureKind { share, number, count, seconds, bytes };

// One row of the table that compares runs.
struct Figure {
  std::string label;
  FigureKind kind;
  std::vector<std::optional<double>> values;  // a run each; unset: the run has no such figure
  std::string explanation;                    // how it is counted, where that is not plain
};

// Seconds of a round, as every time axis counts them: computing, synchronising and evaluating. Waiting is no extra
// time: who waits longest is who computed shortest. Never negative, whatever the record holds; nor are the bytes.
double round_seconds(const RoundRecord& record);
double round_bytes(const RoundRecord& record);

// The mean over the workers of one of their columns; what is not finite counts as nothing.
double mean_worker(const std::vector<double>& column);

// What the runs came to; figures that no run has are left out.
std::vector<Figure> final_figures(const std::vector<RunHistory>& runs);

}  // namespace resist
