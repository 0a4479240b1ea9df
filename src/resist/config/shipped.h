#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace resist {

// A file of configs/, which the program carries with it.
struct ShippedConfig {
  std::string name;  // without .toml
  std::string_view text;
};

const std::vector<ShippedConfig>& shipped_configs();

}  // namespace resist
