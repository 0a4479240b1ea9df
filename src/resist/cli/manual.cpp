#include "resist/cli/manual.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

#include "resist/config/nearest.h"
#include "resist/core/error.h"

namespace resist {
namespace {

// Text as roff shows it letter by letter; a minus stays one that can be copied.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    if (letter == '\\') {
      result += "\\e";
    } else if (letter == '-') {
      result += "\\-";
    } else {
      result += letter;
    }
  }
  // These would begin a request.
  return result.starts_with('.') || result.starts_with('\'') ? "\\&" + result : result;
}

std::string bold(std::string_view text) {
  return "\\fB" + escaped(text) + "\\fR";
}

std::string italic(std::string_view text) {
  return "\\fI" + escaped(text) + "\\fR";
}

// "last|best|ROUND": words bold, what stands for something italic.
std::string value_text(const std::string& name) {
  std::string result;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('|', begin), name.size());
    const std::string part = name.substr(begin, end - begin);
    const bool word =
        std::any_of(part.begin(), part.end(), [](unsigned char letter) { return std::islower(letter) != 0; });
    result += (begin == 0 ? "" : "|") + (word ? bold(part) : italic(part));
    begin = end + 1;
  }
  return result;
}

std::string term_of(const CommandArgument& argument) {
  if (argument.positional()) {
    return italic(argument.name) + (argument.repeatable ? " ..." : "");
  }
  std::string term;
  for (const std::string& flag : argument.flags) {
    term += (term.empty() ? "" : ", ") + bold(flag);
  }
  return argument.is_switch() ? term : term + " " + value_text(argument.name);
}

// Groups in the order in which they come, positional arguments and general flags without a heading of their own.
std::string options_section(const CommandNode& node) {
  std::vector<std::string> groups;
  for (const CommandArgument& argument : node.arguments) {
    const std::string group = argument.positional() ? "" : argument.group;
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) {
      groups.push_back(group);
    }
  }
  std::stable_partition(groups.begin(), groups.end(), [](const std::string& group) { return group.empty(); });
  std::string text = ".SH OPTIONS\n";
  for (const std::string& group : groups) {
    text += group.empty() || groups.size() == 1 ? "" : fmt::format(".SS {}\n", escaped(group));
    for (const CommandArgument& argument : node.arguments) {
      if ((argument.positional() ? "" : argument.group) == group) {
        text += fmt::format(".TP\n{}\n{}.\n", term_of(argument), escaped(argument.help));
      }
    }
  }
  const bool switches = std::any_of(node.arguments.begin(), node.arguments.end(), [](const CommandArgument& argument) {
    return argument.is_switch() && !argument.words.empty();
  });
  return text + (switches ? fmt::format(".PP\nA switch is turned off with {}.\n", bold("--NAME=false")) : "");
}

std::string synopsis_section(const CommandNode& node) {
  std::string text = fmt::format(".SH SYNOPSIS\n{} [{}]", bold(joined_words(node, " ")), italic("OPTIONS"));
  for (const CommandArgument* argument : node.positionals()) {
    text += " " + term_of(*argument);
  }
  return text + (node.commands.empty() ? "\n" : " " + italic("COMMAND") + " ...\n");
}

std::string commands_section(const CommandNode& node) {
  std::string text = node.commands.empty() ? "" : ".SH COMMANDS\n";
  for (const CommandNode& command : node.commands) {
    text += fmt::format(".TP\n{}(1)\n{}.\n", bold(joined_words(command, "-")), escaped(command.help));
  }
  return text;
}

std::string examples_section(const CommandNode& node) {
  std::string text = node.examples.empty() ? "" : ".SH EXAMPLES\n.nf\n";
  for (const std::string& example : node.examples) {
    text += escaped(example) + "\n";
  }
  return text + (node.examples.empty() ? "" : ".fi\n");
}

using Entries = std::vector<std::pair<std::string, std::string>>;

std::string list_section(const char* heading, const Entries& entries) {
  std::string text = fmt::format(".SH {}\n", heading);
  for (const auto& [term, meaning] : entries) {
    text += fmt::format(".TP\n{}\n{}\n", bold(term), escaped(meaning));
  }
  return text;
}

// What holds for all commands; docs/errors.md says more.
std::string general_sections() {
  return list_section("EXIT STATUS",
                      {{"0", "Done."},
                       {"1", "It failed while working: a worker died, a link broke, a disk filled up."},
                       {"2", "Wrong usage or input; nothing was written."},
                       {"75", "Stopped by SIGTERM or SIGUSR1: the round was finished and a checkpoint written."},
                       {"130", "The same after SIGINT."},
                       {"128 + n", "Ended at once by signal n."}}) +
         list_section("ENVIRONMENT",
                      {{"RESIST_DATA_DIR", "Folder whose subfolders are known data sets."},
                       {"RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT",
                        "Set by torchrun: this process is one of several workers. Slurm's and Open MPI's variables are "
                        "understood too."},
                       {"RESIST_TOKEN",
                        "The secret that the workers of a job on several machines share; --token-file is used before "
                        "it."},
                       {"NO_COLOR", "If set and not empty, nothing is coloured."},
                       {"LC_ALL, LC_CTYPE, LANG", "A UTF-8 locale gives resist watch finer curves."}}) +
         list_section("FILES", {{"runs/DATA-METHOD/config.toml", "Every option of a run."},
                                {"runs/DATA-METHOD/metrics.jsonl", "A line of JSON a round."},
                                {"runs/DATA-METHOD/checkpoints/", "What a run is resumed from."}});
}

std::string see_also(const CommandNode& program, const CommandNode& node) {
  std::vector<std::string> pages;
  for_each_command(program, [&](const CommandNode& other) {
    const bool parent = node.words.size() > other.words.size() &&
                        std::equal(other.words.begin(), other.words.end(), node.words.begin());
    const bool sibling = other.words.size() == node.words.size() && other.words != node.words &&
                         std::equal(other.words.begin(), other.words.end() - 1, node.words.begin());
    if (parent || sibling) {
      pages.push_back(bold(joined_words(other, "-")) + "(1)");
    }
  });
  return pages.empty() ? "" : fmt::format(".SH SEE ALSO\n{}\n", fmt::join(pages, ",\n"));
}

}  // namespace

ManualPage manual_page(const CommandNode& program, const CommandNode& node, const std::string& release) {
  const std::string name = joined_words(node, "-");
  std::string title = name;
  std::transform(title.begin(), title.end(), title.begin(), [](unsigned char letter) { return std::toupper(letter); });
  // Without a date: the same source gives the same page on any day.
  std::string text = fmt::format(
      ".\\\" Written by 'resist man' from the program's own options.\n"
      ".TH {} 1 \"\" \"{}\" \"User Commands\"\n",
      escaped(title), escaped(release));
  std::string summary = node.help.ends_with('.') ? node.help.substr(0, node.help.size() - 1) : node.help;
  text += fmt::format(".SH NAME\n{} \\- {}\n", escaped(name), escaped(summary));
  text += synopsis_section(node);
  text += fmt::format(".SH DESCRIPTION\n{}.\n", escaped(summary));
  if (node.commands.empty()) {
    text += options_section(node);
  } else {
    text += commands_section(node) + options_section(node);
  }
  text += examples_section(node);
  if (node.words.size() == 1) {
    text += general_sections();
  }
  return {.name = name + ".1", .text = text + see_also(program, node)};
}

std::vector<ManualPage> manual_pages(const CommandNode& program, const std::string& release) {
  std::vector<ManualPage> pages;
  for_each_command(program, [&](const CommandNode& node) { pages.push_back(manual_page(program, node, release)); });
  return pages;
}

const CommandNode& find_command(const CommandNode& program, const std::vector<std::string>& words) {
  const CommandNode* node = &program;
  for (const std::string& word : words) {
    const auto& commands = node->commands;
    const auto found = std::find_if(commands.begin(), commands.end(),
                                    [&](const CommandNode& command) { return command.words.back() == word; });
    if (found == commands.end()) {
      std::vector<std::string> names;
      names.reserve(commands.size());
      for (const CommandNode& command : commands) {
        names.push_back(command.words.back());
      }
      throw InputError(
          fmt::format("unknown command '{}'{}", word,
                      did_you_mean(word, names, "",
                                   fmt::format("; 'resist {}--help' lists the commands",
                                               node == &program ? "" : joined_words(*node, " ", 1) + " "))));
    }
    node = &*found;
  }
  return *node;
}

}  // namespace resist
