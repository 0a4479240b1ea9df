#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "resist/cli/parse.h"
#include "resist/run/average_run.h"
#include "resist/run/calibrate_run.h"
#include "resist/run/evaluate_run.h"
#include "resist/run/predict.h"

namespace resist {

// What commands print when they are done: for a person, or one line of JSON.

void print_average(const AverageReport& report, OutputFormat format, std::ostream& out);
void print_evaluation(const EvaluateReport& report, OutputFormat format, std::ostream& out);
void print_calibration(const CalibrateReport& report, OutputFormat format, std::ostream& out);
void print_export(const ExportReport& report, std::ostream& out);
void print_prediction(const std::filesystem::path& picture, const std::vector<ClassProbability>& best,
                      OutputFormat format, std::ostream& out);
void print_packed_info(const PackedInfo& info, OutputFormat format, std::ostream& out);

}  // namespace resist
