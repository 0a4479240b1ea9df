#pragma once

#include <map>
#include <string>

#include "resist/export/deployed_model.h"

namespace resist {

// The metadata of an exported model (deployed_model.h has its keys). InputError if a name is not UTF-8.
std::map<std::string, std::string> format_model_metadata(const DeployedModel& model);

// A model with everything that the metadata says: spec, info, scales and their sections; layout, values and statistics
// are empty. InputError names `file` and what is missing, malformed or out of the bounds that options have, so whatever
// follows from the spec fits into 64 bits.
DeployedModel parse_model_metadata(const std::map<std::string, std::string>& metadata, const std::string& file);

}  // namespace resist
