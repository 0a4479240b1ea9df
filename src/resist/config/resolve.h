#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "resist/config/config.h"

namespace resist {

// An option that was given explicitly.
struct Setting {
  std::string name;
  nlohmann::json value;  // in Option::set's form
  std::string where;     // goes before the name in messages: "FILE:LINE: " or "--"
};

// One layer of settings (a file, or the flags) on top of `config`. Giving both rounds and epochs in one layer is an
// InputError; in a later layer either replaces the other (--rounds 0 goes back to epochs).
void apply_settings(Config& config, const std::vector<Setting>& settings);

struct ResolvedConfig {
  Config config;                // validated
  std::set<std::string> given;  // names given in the file or by flags, not by the resumed run
  bool run_elsewhere = false;   // the run to resume has no folder here: `config` lacks what it settled
};

// the recipe, or RUN/config.toml of a run to resume or to replay <- config file <- flags. A resumed run's run_dir is
// its own folder. InputError names options that may not change then, or a --run-dir that is another folder.
ResolvedConfig resolve_train(const std::optional<std::filesystem::path>& config_file,
                             const std::vector<Setting>& flags);

// The config of a worker that resumes a run whose folder only worker 0 has: worker 0's shared_json, with this worker's
// own business and the options `given` to it from `own`.
Config adopt_shared(const nlohmann::json& shared, const Config& own, const std::set<std::string>& given);

// What a run stores of its config: all but that it was resumed or joined, and where its workers met, so that
// `--config RUN/config.toml` repeats it.
Config stored_config(Config config);

// RUN/config.toml over the defaults, with run_dir = RUN.
Config load_run_config(const std::filesystem::path& run_dir);

}  // namespace resist
