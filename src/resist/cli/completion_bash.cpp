#include <fmt/format.h>
#include <fmt/ranges.h>

#include "resist/cli/completion.h"

namespace resist {
namespace {

// What does not depend on the commands. The data behind it fills `commands`, `flags`, `valued`, `list` and `kind`.
constexpr const char* kFrame =
    R"bash(# Completes the command line of resist in bash. Written by 'resist completion bash'; load it with
#   source <(resist completion bash)
# or keep it as ~/.local/share/bash-completion/completions/resist.

# The commands below "$1", and the flags of "$1": all, and those that take a value.
_resist_command() {
  commands='' flags='' valued=''
  case $1 in
@commands@  esac
}

# What may stand behind a flag of a command ("train --lr") or as its n-th positional argument ("evaluate 1").
_resist_value() {
  list='' kind=''
  case $1 in
@values@  esac
}

_resist() {
  local commands flags valued list kind word flag='' before='' i
  # bash takes '=' and ':' for words of their own; join what they cut.
  local -a words=()
  local joins=0
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ -n $word && ${#words[@]} -gt 1 ]] && { ((joins)) || [[ $word == [=:]* ]]; }; then
      words[${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
    joins=0
    [[ $word == *[=:] ]] && joins=1
  done
  local last=$((${#words[@]} - 1))
  local current=${words[last]}

  # The command: as many words as lead down the tree.
  local command='' first=1
  _resist_command ''
  while ((first < last)) && [[ " $commands " == *" ${words[first]} "* ]]; do
    command+=${command:+ }${words[first]}
    _resist_command "$command"
    ((first += 1))
  done

  local position=1
  for ((i = first; i < last; i++)); do
    flag=''
    case ${words[i]} in
      -*=*) ;;
      -*) [[ " $valued " == *" ${words[i]} "* ]] && flag=${words[i]} && ((i += 1)) ;;
      *) ((position += 1)) ;;
    esac
  done
  ((i > last)) || flag=''  # its value is there already

  COMPREPLY=()
  if [[ -z $flag && $current == -*=* ]]; then
    flag=${current%%=*}
    before=$flag=
    current=${current#*=}
  elif [[ -z $flag && $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
    return
  fi
  _resist_value "$command ${flag:-$position}"
  if [[ $kind == named ]]; then
    [[ $current == *=* ]] || return
    before+=${current%%=*}=
    current=${current#*=}
    kind=files
  fi
  [[ -n $flag ]] || list+=" $commands"
  COMPREPLY=($(compgen -W "$list" -- "$current"))
  # Where '=' does not cut words, replies are whole ones.
  [[ $COMP_WORDBREAKS == *=* ]] || COMPREPLY=("${COMPREPLY[@]/#/$before}")
  case $kind in
    files) compopt -o default ;;
    folders) compopt -o dirnames ;;
  esac
}

complete -F _resist resist
)bash";

void replace(std::string& text, std::string_view mark, const std::string& by) {
  text.replace(text.find(mark), mark.size(), by);
}

std::string kind_of(const CommandArgument& argument) {
  return argument.named_path ? "named" : argument.folders ? "folders" : argument.files ? "files" : "";
}

std::string value_case(const std::string& pattern, const CommandArgument& argument) {
  const std::string kind = kind_of(argument);
  if (argument.words.empty() && kind.empty()) {
    return "";
  }
  return fmt::format("    {}) list='{}' kind={} ;;\n", pattern, fmt::join(argument.words, " "), kind);
}

std::string command_case(const CommandNode& node) {
  std::vector<std::string> commands;
  for (const CommandNode& command : node.commands) {
    commands.push_back(command.words.back());
  }
  std::vector<std::string> flags;
  std::vector<std::string> valued;
  for (const CommandArgument& argument : node.arguments) {
    flags.insert(flags.end(), argument.flags.begin(), argument.flags.end());
    if (!argument.is_switch()) {
      valued.insert(valued.end(), argument.flags.begin(), argument.flags.end());
    }
  }
  return fmt::format("    '{}')\n      commands='{}'\n      flags='{}'\n      valued='{}'\n      ;;\n",
                     joined_words(node, " ", 1), fmt::join(commands, " "), fmt::join(flags, " "),
                     fmt::join(valued, " "));
}

std::string value_cases(const CommandNode& node) {
  const std::string command = joined_words(node, " ", 1);
  std::string cases;
  int position = 1;
  for (const CommandArgument& argument : node.arguments) {
    std::vector<std::string> patterns;
    for (const std::string& flag : argument.flags) {
      patterns.push_back(fmt::format("'{} {}'", command, flag));
    }
    if (argument.positional()) {
      patterns.push_back(argument.repeatable ? fmt::format("'{} '[0-9]*", command)
                                             : fmt::format("'{} {}'", command, position++));
    }
    cases += value_case(fmt::format("{}", fmt::join(patterns, " | ")), argument);
  }
  return cases;
}

}  // namespace

std::string bash_completion(const CommandNode& program) {
  std::string commands;
  std::string values;
  for_each_command(program, [&](const CommandNode& node) {
    commands += command_case(node);
    values += value_cases(node);
  });
  std::string script = kFrame;
  replace(script, "@commands@", commands);
  replace(script, "@values@", values);
  return script;
}

}  // namespace resist
