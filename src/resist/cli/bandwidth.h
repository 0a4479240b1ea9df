#pragma once

#include <string>

namespace resist {

// Bits per second of a rate such as "100mbit", "2.5gbit" or "800kbit" (decimal prefixes). InputError names the flag
// --bandwidth and what is allowed.
double parse_bandwidth(const std::string& text);

}  // namespace resist
