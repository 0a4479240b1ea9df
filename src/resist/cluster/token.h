#pragma once

#include <filesystem>
#include <string>

#include "resist/cluster/environment.h"

namespace resist {

// The environment's variable with the job's token.
inline constexpr const char* kTokenVariable = "RESIST_TOKEN";

// The job's token, a secret of its workers: what `file` holds, or where that is empty RESIST_TOKEN; "" where there is
// neither. InputError where others could read the file, or the token is too easily guessed; it never says the token.
std::string read_token(const std::filesystem::path& file, const Environment& environment);

// A new one.
std::string make_token();

}  // namespace resist
