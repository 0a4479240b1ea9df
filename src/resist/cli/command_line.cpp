#include "resist/cli/command_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "resist/config/nearest.h"
#include "resist/config/recipe.h"
#include "resist/core/error.h"

namespace resist {
namespace {

// CLI11 wants somewhere to put values; they are read from its results instead.
std::string& unused() {
  static thread_local std::string text;
  return text;
}

std::string help_text(const Option& option, const std::string& default_text) {
  static const Config defaults = recipe_config(kUsualRecipe);
  const std::string value = default_text.empty() ? option_text(defaults, option) : default_text;
  const std::string allowed = option.value_name == "WORD" ? " (" + option.allowed + ")" : "";
  return option.help + allowed + (value.empty() ? "" : "; default " + value);
}

}  // namespace

CommandLine::CommandLine(CLI::App& parent, const std::string& name, const std::string& description)
    : name_(name), app_(parent.add_subcommand(name.substr(name.rfind(' ') + 1), description)), flags_{"help"} {
  app_->allow_extras();
}

void CommandLine::add(const Option& option, const std::string& default_text) {
  const std::string flag = "--" + option.name;
  CLI::Option* added =
      option.value_name.empty()
          ? app_->add_flag(flag, unused(), help_text(option, default_text))
          : app_->add_option(flag, unused(), help_text(option, default_text))->type_name(option.value_name);
  added->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)->group(option.group);
  if (option.repeatable) {
    repeatable_.insert(added->get_name());
  }
  options_.push_back(&option);
  flags_.push_back(option.name);
}

void CommandLine::add_named(const std::vector<std::string>& names, const std::string& default_text) {
  for (const auto& name : names) {
    add(find_option(name), default_text);
  }
}

void CommandLine::add_own(const std::string& name, const std::string& value_name, const std::string& help,
                          const std::string& group) {
  app_->add_option(name, unused(), help)
      ->type_name(value_name)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->group(group);
  if (const std::size_t dashes = name.find("--"); dashes != std::string::npos) {
    flags_.push_back(name.substr(dashes + 2));
  }
}

void CommandLine::add_own_switch(const std::string& name, const std::string& help, const std::string& group) {
  app_->add_flag(name, unused(), help)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)->group(group);
  flags_.push_back(name.substr(2));
}

void CommandLine::add_rest(const std::string& name, const std::string& help) {
  app_->add_option(name, unused(), help)
      ->type_name("")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->expected(-1)
      ->group("Positionals");
  repeatable_.insert(name);
}

void CommandLine::add_examples(const std::vector<std::string>& examples) {
  const bool switches =
      std::any_of(options_.begin(), options_.end(), [](const Option* option) { return option->value_name.empty(); });
  std::string footer = switches ? "A switch is turned off with --NAME=false.\n\nExamples:" : "Examples:";
  for (const auto& example : examples) {
    footer += "\n  " + example;
  }
  app_->footer(footer);
}

void CommandLine::check() const {
  const auto options = app_->get_options();
  for (const CLI::Option* option : options) {
    for (const auto& value : option->results()) {
      if (value.starts_with("--")) {
        throw InputError(fmt::format("{} needs a value, but '{}' follows it", option->get_name(), value));
      }
    }
  }
  if (const auto rest = app_->remaining(); !rest.empty()) {
    refuse_argument(rest.front(), "resist " + name_, flags_);
  }
  for (const CLI::Option* option : options) {
    if (option->count() > 1 && !repeatable_.contains(option->get_name())) {
      throw InputError(fmt::format("{} is given {} times; give it once", option->get_name(), option->count()));
    }
  }
}

std::vector<Setting> CommandLine::settings() const {
  std::vector<Setting> settings;
  for (const Option* option : options_) {
    const CLI::Option* given = app_->get_option("--" + option->name);
    if (given->count() == 0) {
      continue;
    }
    try {
      nlohmann::json value = option->parse(given->results().front());
      for (std::size_t i = 1; i < given->results().size(); ++i) {  // a list: see check()
        const nlohmann::json more = option->parse(given->results()[i]);
        value.insert(value.end(), more.begin(), more.end());
      }
      settings.push_back({option->name, std::move(value), "--"});
    } catch (const InputError& error) {
      throw InputError(std::string("--") + error.what());
    }
  }
  return settings;
}

std::optional<std::string> CommandLine::own(const std::string& name) const {
  const CLI::Option* given = app_->get_option(name);
  return given->count() == 0 ? std::nullopt : std::optional(given->results().front());
}

std::string CommandLine::needed(const std::string& name, const std::string& what) const {
  const auto given = own(name);
  if (!given || given->empty()) {
    throw InputError(
        fmt::format("{} needs {}: resist {} {}; 'resist {} --help' shows more", name_, what, name_, name, name_));
  }
  return *given;
}

bool CommandLine::own_switch(const std::string& name) const {
  const auto given = own(name);
  if (given && given != "true" && given != "false") {
    throw InputError(fmt::format("{} is '{}'; it must be true or false", name, *given));
  }
  return given == "true";
}

std::vector<std::string> CommandLine::rest(const std::string& name) const {
  return app_->get_option(name)->results();
}

void refuse_argument(const std::string& argument, const std::string& command, const std::vector<std::string>& flags) {
  if (!argument.starts_with("-")) {
    const bool for_switch = argument == "true" || argument == "false" || argument == "auto";
    throw InputError(fmt::format("unexpected argument '{}'; {}", argument,
                                 for_switch ? "a switch takes its value as --NAME=" + argument
                                            : "'" + command + " --help' shows what it takes"));
  }
  const std::string flag = argument.substr(0, argument.find('='));
  const std::string name = flag.substr(std::min(flag.find_first_not_of('-'), flag.size()));
  if (name.starts_with("no-") && std::find(flags.begin(), flags.end(), name.substr(3)) != flags.end()) {
    throw InputError(fmt::format("unknown option '{}'; did you mean '--{}=false'?", flag, name.substr(3)));
  }
  throw InputError(fmt::format("unknown option '{}'{}", flag,
                               did_you_mean(name, flags, "--", "; '" + command + " --help' lists the options")));
}

}  // namespace resist
