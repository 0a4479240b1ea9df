#include "resist/config/option.h"

#include <fmt/format.h>

#include "resist/config/codec.h"
#include "resist/config/nearest.h"
#include "resist/core/error.h"

namespace resist {

const Option& find_option(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& option : option_table()) {
    if (option.name == name) {
      return option;
    }
    names.push_back(option.name);
  }
  throw InputError(fmt::format("unknown option {}{}", shown(name),
                               did_you_mean(name, names, "", "; 'resist train --help' lists the options")));
}

void set_option(Config& config, const std::string& name, const std::string& text) {
  const Option& option = find_option(name);
  option.set(config, option.parse(text));
}

std::string option_text(const Config& config, const Option& option) {
  return to_text(option.get(config));
}

nlohmann::json to_json(const Config& config) {
  auto object = nlohmann::json::object();
  for (const auto& option : option_table()) {
    object[option.name] = option.get(config);
  }
  return object;
}

Config config_from_json(const nlohmann::json& object) {
  if (!object.is_object()) {
    throw InputError(fmt::format("a stored configuration is {}; it must be an object", shown(object)));
  }
  Config config;
  for (const auto& [name, value] : object.items()) {
    find_option(name).set(config, value);
  }
  return config;
}

namespace {

template <typename Filter>
nlohmann::json json_of(const Config& config, Filter filter) {
  auto object = nlohmann::json::object();
  for (const auto& option : option_table()) {
    if (filter(option)) {
      object[option.name] = option.get(config);
    }
  }
  return object;
}

}  // namespace

nlohmann::json shared_json(const Config& config) {
  return json_of(config, [](const Option& option) { return option.same_on_all_workers; });
}

nlohmann::json changeable_json(const Config& config) {
  return json_of(config,
                 [](const Option& option) { return option.same_on_all_workers && option.may_change_on_resume; });
}

namespace {

// Pictures may lie in another folder when a run is resumed. A path is told from a data set's name by its slash.
bool only_the_folder_moved(const Option& option, const Config& stored, const Config& now) {
  const auto is_path = [](const Config& config) { return config.data.data.find('/') != std::string::npos; };
  return option.name == "data" && is_path(stored) && is_path(now);
}

}  // namespace

std::vector<std::string> resume_difference(const Config& stored, const Config& now) {
  std::vector<std::string> names;
  for (const auto& option : option_table()) {
    if (!option.may_change_on_resume && option.get(stored) != option.get(now) &&
        !only_the_folder_moved(option, stored, now)) {
      names.push_back(option.name);
    }
  }
  return names;
}

}  // namespace resist
