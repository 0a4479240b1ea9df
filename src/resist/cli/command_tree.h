#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's
class App;
}

namespace resist {

// A flag or a positional argument, as whoever describes the command line sees it.
struct CommandArgument {
  std::vector<std::string> flags;  // "--output", "-o", long ones first; empty: a positional argument
  std::string name;                // of the value ("FILE"), or of the positional argument; empty: a switch
  std::string help;                // one line
  std::string group;               // heading in --help
  std::vector<std::string> words;  // that are valid, or worth offering beside files
  bool files = false;              // the value is a path
  bool folders = false;            // and only a folder's
  bool named_path = false;         // the path comes behind NAME=
  bool repeatable = false;

  bool positional() const { return flags.empty(); }
  bool is_switch() const { return !positional() && name.empty(); }
};

// A command, or the whole program.
struct CommandNode {
  std::vector<std::string> words;  // that choose it, the program's name first: "resist", "data", "pack"
  std::string help;                // one line
  std::vector<CommandArgument> arguments;
  std::vector<CommandNode> commands;
  std::vector<std::string> examples;  // command lines

  // Positional arguments, in their order.
  std::vector<const CommandArgument*> positionals() const;
};

// What the program's parser knows, read off it, so that shell completions and manual pages can't say anything else.
// What a value may be follows from its name: lower-case alternatives ("last|best|ROUND") are words to type as they
// stand, and PATH, FILE, FOLDER, RUN and the like are paths. Options of the table bring their own words.
CommandNode command_tree(const CLI::App& program);

// Calls visit(node) for the tree's root and every command below it, parents first.
template <typename Visit>
void for_each_command(const CommandNode& node, const Visit& visit) {
  visit(node);
  for (const CommandNode& command : node.commands) {
    for_each_command(command, visit);
  }
}

// The words that choose the command, joined: "resist-data-pack", "data pack" (from the second word on).
std::string joined_words(const CommandNode& node, std::string_view separator, std::size_t first = 0);

}  // namespace resist
