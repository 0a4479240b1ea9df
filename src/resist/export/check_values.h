#pragma once

#include <string>

#include "resist/export/deployed_model.h"

namespace resist {

// InputError: `source` is not a usable model, and why.
[[noreturn]] void refuse_model(const std::string& source, const std::string& reason);

// InputError where a model file has no words for this network.
void check_exportable(const NetworkSpec& spec);

// Refuses the model, naming the tensor, where a parameter or a statistic is not finite or a variance is below 0.
void check_values(const DeployedModel& model, const std::string& source);

}  // namespace resist
