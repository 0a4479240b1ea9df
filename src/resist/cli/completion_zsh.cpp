#include <fmt/format.h>
#include <fmt/ranges.h>

#include "resist/cli/completion.h"

namespace resist {
namespace {

constexpr const char* kHead = R"zsh(#compdef resist
# Completes the command line of resist in zsh. Written by 'resist completion zsh'; keep it as a file _resist in a folder
# of $fpath, or load it, after compinit, with
#   source <(resist completion zsh)

_resist_named_path() {
  if compset -P '*='; then
    _files
  else
    _message 'NAME=PATH'
  fi
}

)zsh";

// Sourced it only registers; as a file of $fpath this is its first call.
constexpr const char* kFoot = R"zsh(
if [[ $funcstack[1] == _resist ]]; then
  _resist "$@"
else
  compdef _resist resist
fi
)zsh";

// Within single quotes.
std::string quoted(const std::string& text, std::string_view escaped) {
  std::string result;
  for (const char letter : text) {
    if (letter == '\'') {
      result += "'\\''";
    } else {
      result += escaped.find(letter) != std::string_view::npos ? "\\" : "";
      result += letter;
    }
  }
  return result;
}

std::string function_name(const CommandNode& node) {
  return "_" + joined_words(node, "_");
}

// What _arguments does for a value.
std::string action_of(const CommandArgument& argument) {
  const std::string words = fmt::format("{}", fmt::join(argument.words, " "));
  if (argument.named_path) {
    return "_resist_named_path";
  }
  const std::string files = argument.folders ? "_files -/" : argument.files ? "_files" : "";
  if (words.empty()) {
    return files.empty() ? " " : files;
  }
  return files.empty() ? "(" + words + ")"
                       : fmt::format("_alternative \"words:known name:({})\" \"files:file:{}\"", words, files);
}

std::string value_spec(const CommandArgument& argument) {
  return quoted(argument.name, ":\\") + ":" + quoted(action_of(argument), ":");
}

void add_specs(std::vector<std::string>& specs, const CommandArgument& argument) {
  if (argument.positional()) {
    specs.push_back((argument.repeatable ? "*:" : ":") + value_spec(argument));
    return;
  }
  const std::string help = "[" + quoted(argument.help, "[]\\:") + "]";
  for (const std::string& flag : argument.flags) {
    // One of a flag's names leaves no room for the others.
    const std::string excluded =
        argument.repeatable || argument.flags.size() == 1 ? "" : fmt::format("({})", fmt::join(argument.flags, " "));
    const std::string start = (argument.repeatable ? "*" : excluded) + flag;
    const bool is_long = flag.starts_with("--");
    if (!argument.is_switch()) {
      specs.push_back(fmt::format("{}{}{}:{}", start, is_long ? "=" : "+", help, value_spec(argument)));
    } else if (is_long && !argument.words.empty()) {
      specs.push_back(fmt::format("{}=-{}::value:({})", start, help, fmt::join(argument.words, " ")));
    } else {
      specs.push_back(start + help);
    }
  }
}

std::string function_of(const CommandNode& node) {
  std::vector<std::string> specs;
  for (const CommandArgument& argument : node.arguments) {
    add_specs(specs, argument);
  }
  if (node.commands.empty()) {
    std::string text = fmt::format("{}() {{\n  _arguments -S", function_name(node));
    for (const std::string& spec : specs) {
      text += fmt::format(" \\\n    '{}'", spec);
    }
    return text + "\n}\n\n";
  }
  std::string commands;
  std::string calls;
  for (const CommandNode& command : node.commands) {
    commands += fmt::format("        '{}:{}'\n", command.words.back(), quoted(command.help, ":\\"));
    calls += fmt::format("        {}) {} ;;\n", command.words.back(), function_name(command));
  }
  std::string text =
      fmt::format("{}() {{\n  local context state state_descr line\n  typeset -A opt_args\n  _arguments -C -S",
                  function_name(node));
  for (const std::string& spec : specs) {
    text += fmt::format(" \\\n    '{}'", spec);
  }
  return text + fmt::format(
                    " \\\n    ':command:->command' \\\n    '*::argument:->argument'\n"
                    "  case $state in\n"
                    "    command)\n"
                    "      local -a commands=(\n{}      )\n"
                    "      _describe -t commands command commands\n"
                    "      ;;\n"
                    "    argument)\n"
                    "      case $words[1] in\n{}      esac\n"
                    "      ;;\n"
                    "  esac\n}}\n\n",
                    commands, calls);
}

}  // namespace

std::string zsh_completion(const CommandNode& program) {
  std::string script = kHead;
  for_each_command(program, [&](const CommandNode& node) { script += function_of(node); });
  script.pop_back();  // the foot begins with a blank line
  return script + kFoot;
}

}  // namespace resist
