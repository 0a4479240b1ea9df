#include <fmt/format.h>
#include <fmt/ranges.h>

#include "resist/cli/completion.h"

namespace resist {
namespace {

constexpr const char* kHead =
    R"fish(# Completes the command line of resist in fish. Written by 'resist completion fish'; load it with
#   resist completion fish | source
# or keep it as ~/.config/fish/completions/resist.fish.

# Whether the words before the cursor begin with this command.
function __resist_at
    set -l words (commandline -opc)
    set -l last (math (count $argv) + 1)
    test (count $words) -ge $last; or return 1
    test $last -eq 1; or test "$words[2..$last]" = "$argv"
end

# Whether they are just this command, and the next one chooses a command below it.
function __resist_below
    test (count (commandline -opc)) -eq (math (count $argv) + 1); and __resist_at $argv
end

# Paths behind NAME=.
function __resist_named_path
    set -l word (commandline -ct)
    string match -q -- '*=*' $word; or return
    set -l name (string replace -r '=.*' '=' -- $word)
    for path in (__fish_complete_path (string replace -r '^[^=]*=' '' -- $word))
        echo $name$path
    end
end

complete -c resist -f
)fish";

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char letter : text) {
    result += letter == '\'' || letter == '\\' ? "\\" : "";
    result += letter;
  }
  return result + "'";
}

std::string condition_of(const CommandNode& node, std::string_view place) {
  const std::string words = joined_words(node, " ", 1);
  return fmt::format("__resist_{}{}{}", place, words.empty() ? "" : " ", words);
}

// The flags of an argument, and what its value may be.
std::string line_of(const CommandNode& node, const CommandArgument& argument) {
  std::string line =
      fmt::format("complete -c resist -n {}", quoted(condition_of(node, node.commands.empty() ? "at" : "below")));
  for (const std::string& flag : argument.flags) {
    line += flag.starts_with("--") ? " -l " + flag.substr(2) : " -s " + flag.substr(1);
  }
  std::vector<std::string> choices = argument.words;
  if (argument.named_path) {
    choices.emplace_back("(__resist_named_path)");
  } else if (argument.folders) {
    choices.emplace_back("(__fish_complete_directories (commandline -ct))");
  }
  const bool files = argument.files && !argument.folders && !argument.named_path;
  if (!argument.positional() && !argument.is_switch()) {
    line += files ? " -r" : " -x";
  }
  line += files ? " -F" : "";
  // Without -r or -x a value is only offered behind '=', as switches take it.
  if (!choices.empty()) {
    line += fmt::format(" -a {}", quoted(fmt::format("{}", fmt::join(choices, " "))));
  }
  if (!argument.flags.empty()) {
    line += " -d " + quoted(argument.help);
  }
  return line + "\n";
}

}  // namespace

std::string fish_completion(const CommandNode& program) {
  std::string script = kHead;
  for_each_command(program, [&](const CommandNode& node) {
    script += fmt::format("\n# {}\n", joined_words(node, " "));
    for (const CommandNode& command : node.commands) {
      script += fmt::format("complete -c resist -n {} -a {} -d {}\n", quoted(condition_of(node, "below")),
                            command.words.back(), quoted(command.help));
    }
    for (const CommandArgument& argument : node.arguments) {
      script += line_of(node, argument);
    }
  });
  return script;
}

}  // namespace resist
