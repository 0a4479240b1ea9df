#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "resist/config/config.h"

namespace resist {

// One field of Config as the user sees it. `name` is the flag without its dashes, the TOML key and the JSON key.
struct Option {
  std::string name;
  std::string group;               // heading in --help and in config.toml
  std::string help;                // one line
  std::string value_name;          // of the flag's value; empty: a switch (--flip, --flip=false)
  std::string allowed;             // completes "it must be ..."
  std::vector<std::string> words;  // the valid words, where only words are valid
  bool repeatable = false;         // the flag may be given several times: its lists are put together
  bool may_change_on_resume = false;
  bool same_on_all_workers = true;
  // All three throw InputError "NAME is VALUE; it must be ...". An unset optional field is the word "auto".
  std::function<nlohmann::json(const std::string&)> parse;  // a flag's text; bounds are left to set()
  std::function<void(Config&, const nlohmann::json&)> set;
  std::function<nlohmann::json(const Config&)> get;
};

// Every field of Config, group by group, in the order in which users read them.
const std::vector<Option>& option_table();

// InputError with the nearest name where there is no such option.
const Option& find_option(const std::string& name);

void set_option(Config& config, const std::string& name, const std::string& text);

// The option's value in `config` as a flag would give it.
std::string option_text(const Config& config, const Option& option);

// One flat object, a member per option.
nlohmann::json to_json(const Config& config);

// What the object leaves out keeps its default; an unknown member is an InputError.
Config config_from_json(const nlohmann::json& object);

// The options that all workers of a run must agree on, for comparing workers before they start.
nlohmann::json shared_json(const Config& config);
// Those of them that another start of the same run may have changed.
nlohmann::json changeable_json(const Config& config);

// Names of the options that differ between a stored run and its continuation although they may not change.
std::vector<std::string> resume_difference(const Config& stored, const Config& now);

// InputError where a value is out of bounds or values do not go together. Rules that need the partition's decks
// (min-blocks above the number of blocks, more workers than blocks) are check_dealing's.
void validate(const Config& config);

}  // namespace resist
