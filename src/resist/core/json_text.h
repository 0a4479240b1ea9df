#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace resist {

// `text` in quotes for a one-line message: pure ASCII, control characters escaped, long texts cut.
std::string in_quotes(std::string_view text);

// `text` as JSON, or InputError naming `file`: what is not JSON, a key that appears twice in one object, objects and
// arrays nested deeper than 64.
nlohmann::json parse_strict_json(std::string_view text, std::string_view file);

}  // namespace resist
