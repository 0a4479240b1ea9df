#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "resist/config/resolve.h"

namespace resist {

// The settings of a TOML text: flat keys, the same as the flags' names. InputError "SOURCE:LINE: ..." for broken TOML,
// an unknown key (with the nearest name), a section or a value that no option takes.
std::vector<Setting> parse_toml(std::string_view text, const std::string& source);

// The settings of a TOML file, likewise; of a shipped one (shipped.h) where the path is its name: a file called that is
// given as ./NAME.
std::vector<Setting> load_settings(const std::filesystem::path& path);

// Applies a TOML file; see parse_toml and apply_settings.
void load_toml(const std::filesystem::path& path, Config& config);

// A file that load_toml turns back into `config`, every option with its help. Without epochs where rounds are set.
std::string to_toml(const Config& config);

}  // namespace resist
