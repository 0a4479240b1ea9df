#include "resist/cli/command_tree.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>

#include "resist/config/option.h"
#include "resist/config/shipped.h"
#include "resist/data/known_sets.h"

namespace resist {
namespace {

// Names of positional arguments and values that are paths.
constexpr std::array<std::string_view, 4> kFileNames = {"FILE", "MODEL", "PICTURE", "SRC"};
constexpr std::array<std::string_view, 3> kFolderNames = {"PATH", "FOLDER", "RUN"};
constexpr std::string_view kNewFile = "DST";
constexpr std::string_view kNamedPath = "NAME=PATH";

bool any_of_names(const auto& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// "last|best|ROUND": last, best.
std::vector<std::string> words_of_name(const std::string& name) {
  std::vector<std::string> words;
  std::istringstream parts(name);
  for (std::string part; std::getline(parts, part, '|');) {
    const bool is_word = std::all_of(part.begin(), part.end(), [](unsigned char letter) {
      return std::islower(letter) != 0 || std::isdigit(letter) != 0 || letter == '-';
    });
    if (is_word && !part.empty()) {
      words.push_back(part);
    }
  }
  return words;
}

// What the option table and the data know beyond the parser: valid words, names of data sets and configurations.
void add_known_words(CommandArgument& argument) {
  const std::string flag = argument.flags.empty() ? "" : argument.flags.front();
  for (const Option& option : option_table()) {
    if (flag == "--" + option.name && argument.name == option.value_name) {
      argument.words = option.words;
      argument.repeatable = option.repeatable;
    }
  }
  if (flag == "--data") {
    for (const KnownSet& set : known_sets()) {
      argument.words.push_back(set.info.name);
    }
    argument.files = true;
  } else if (flag == "--config") {
    for (const ShippedConfig& config : shipped_configs()) {
      argument.words.push_back(config.name);
    }
  }
  if (argument.is_switch() && argument.words.empty()) {
    argument.words = {"true", "false"};
  }
}

CommandArgument read_argument(const CLI::Option& option, bool has_value) {
  CommandArgument argument;
  argument.help = option.get_description();
  argument.group = option.get_group();
  argument.repeatable = option.get_allow_extra_args();  // the positional ones that are left
  for (const std::string& name : option.get_lnames()) {
    argument.flags.push_back("--" + name);
  }
  for (const std::string& name : option.get_snames()) {
    argument.flags.push_back("-" + name);
  }
  const std::string value = has_value ? option.get_type_name() : "";
  argument.name = argument.positional() ? option.get_name(true) : value;
  argument.words = words_of_name(value);
  argument.named_path = argument.name == kNamedPath;
  argument.folders = any_of_names(kFolderNames, argument.name);
  argument.files =
      argument.folders || argument.named_path || argument.name == kNewFile || any_of_names(kFileNames, argument.name);
  add_known_words(argument);
  return argument;
}

// The lines below "Examples:" in what follows a command's help.
std::vector<std::string> examples_of(const std::string& footer) {
  std::vector<std::string> examples;
  std::istringstream lines(footer);
  bool within = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "Examples:") {
      within = true;
    } else if (within && line.starts_with("  ")) {
      examples.push_back(line.substr(2));
    }
  }
  return examples;
}

CommandNode read_command(const CLI::App& app, const std::vector<std::string>& parents) {
  CommandNode node;
  node.words = parents;
  node.words.push_back(app.get_name());
  node.help = app.get_description();
  node.examples = examples_of(app.get_footer());
  for (const CLI::Option* option : app.get_options()) {
    const bool asks = option == app.get_help_ptr() || option == app.get_version_ptr();
    node.arguments.push_back(read_argument(*option, !asks && option->get_type_size_max() > 0));
    if (asks) {
      node.arguments.back().words.clear();
    }
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    node.commands.push_back(read_command(*command, node.words));
  }
  return node;
}

}  // namespace

std::vector<const CommandArgument*> CommandNode::positionals() const {
  std::vector<const CommandArgument*> found;
  for (const CommandArgument& argument : arguments) {
    if (argument.positional()) {
      found.push_back(&argument);
    }
  }
  return found;
}

CommandNode command_tree(const CLI::App& program) {
  CommandNode tree = read_command(program, {});
  std::vector<std::string> names;
  for_each_command(tree, [&](const CommandNode& node) {
    if (node.words.size() > 1) {
      names.push_back(node.words.back());
    }
  });
  for (CommandNode& command : tree.commands) {
    for (CommandArgument& argument : command.arguments) {
      if (argument.name == "COMMAND") {
        argument.words = names;
      }
    }
  }
  return tree;
}

std::string joined_words(const CommandNode& node, std::string_view separator, std::size_t first) {
  std::string text;
  for (std::size_t i = first; i < node.words.size(); ++i) {
    text += i == first ? "" : separator;
    text += node.words[i];
  }
  return text;
}

}  // namespace resist
