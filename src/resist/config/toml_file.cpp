#include "resist/config/toml_file.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "resist/config/codec.h"
#include "resist/config/nearest.h"
#include "resist/config/option.h"
#include "resist/config/shipped.h"
#include "resist/core/error.h"
#include "resist/core/file.h"

namespace resist {
namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 20;

// Nothing for what no option takes: dates, times, tables.
std::optional<nlohmann::json> to_value(const toml::node& node) {
  if (const auto* text = node.as_string()) {
    return text->get();
  }
  if (const auto* integer = node.as_integer()) {
    return integer->get();
  }
  if (const auto* real = node.as_floating_point()) {
    return real->get();
  }
  if (const auto* boolean = node.as_boolean()) {
    return boolean->get();
  }
  if (const auto* array = node.as_array()) {
    auto list = nlohmann::json::array();
    for (const auto& element : *array) {
      const auto value = to_value(element);
      if (!value) {
        return std::nullopt;
      }
      list.push_back(*value);
    }
    return list;
  }
  return std::nullopt;
}

Setting to_setting(const std::string& name, const toml::node& node, std::string where) {
  if (node.is_table() || node.is_array_of_tables()) {
    throw InputError(
        fmt::format("{}'{}' is a section; options are plain 'name = value' lines without sections", where, name));
  }
  try {
    const Option& option = find_option(name);
    auto value = to_value(node);
    if (!value) {
      throw InputError(fmt::format("{} holds a date, time or table; it must be {}", name, option.allowed));
    }
    return {name, std::move(*value), std::move(where)};
  } catch (const InputError& error) {
    throw InputError(where + error.what());
  }
}

}  // namespace

std::vector<Setting> parse_toml(std::string_view text, const std::string& source) {
  toml::table table;
  try {
    table = toml::parse(text, source);
  } catch (const toml::parse_error& error) {
    std::string description(error.description());
    std::replace(description.begin(), description.end(), '\n', ' ');
    throw InputError(fmt::format("{}:{}: not valid TOML: {}", source, error.source().begin.line, description));
  }
  std::vector<std::pair<const toml::key*, const toml::node*>> entries;
  for (const auto& [key, node] : table) {
    entries.emplace_back(&key, &node);
  }
  // In the file's order, so that the first mistake is the one that is named.
  const auto line = [](const auto& entry) { return entry.first->source().begin.line; };
  std::sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) { return line(a) < line(b); });
  std::vector<Setting> settings;
  settings.reserve(entries.size());
  for (const auto& entry : entries) {
    settings.push_back(
        to_setting(std::string(entry.first->str()), *entry.second, fmt::format("{}:{}: ", source, line(entry))));
  }
  return settings;
}

std::vector<Setting> load_settings(const std::filesystem::path& path) {
  std::vector<std::string> names;
  for (const ShippedConfig& config : shipped_configs()) {
    if (path == config.name) {
      return parse_toml(config.text, config.name);
    }
    names.push_back(config.name);
  }
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    throw InputError(fmt::format("can't read '{}': there is no such file{}", path.string(),
                                 did_you_mean(path.string(), names, "",
                                              ", and the configurations that resist brings are " + join_words(names))));
  }
  return parse_toml(read_file(path, kLargestFile), path.string());
}

void load_toml(const std::filesystem::path& path, Config& config) {
  apply_settings(config, load_settings(path));
}

std::string to_toml(const Config& config) {
  std::string text;
  std::string group;
  for (const auto& option : option_table()) {
    if (option.name == "epochs" && config.train.rounds > 0) {
      continue;
    }
    if (option.group != group) {
      text += fmt::format("{}# {}\n", group.empty() ? "" : "\n", option.group);
      group = option.group;
    }
    // JSON's numbers, lists and escapes are TOML's too; control characters, where they differ, are never accepted.
    text += fmt::format("{} = {}  # {}\n", option.name, option.get(config).dump(), option.help);
  }
  return text;
}

}  // namespace resist
