#pragma once

#include <string>

namespace resist {

// Versions of resist and of the libtorch it runs on, in words.
std::string full_version();

}  // namespace resist
