#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "resist/config/config.h"
#include "resist/config/option.h"
#include "resist/config/resolve.h"

namespace resist {

// The flags of one command: those of the option table that it takes, and its own. CLI11 splits the arguments and writes
// the help; values are read by the option table.
class CommandLine {
 public:
  // `name`: its words, "train" or "data pack"; `parent` has the last one.
  CommandLine(CLI::App& parent, const std::string& name, const std::string& description);

  // Flags of the table; the help shows their defaults, or `default_text` where that is given.
  void add(const Option& option, const std::string& default_text = "");
  void add_named(const std::vector<std::string>& names, const std::string& default_text = "");
  // A flag ("--format", "-o,--output") or (without dashes) positional argument of this command alone.
  void add_own(const std::string& name, const std::string& value_name, const std::string& help,
               const std::string& group);
  // A switch of this command alone.
  void add_own_switch(const std::string& name, const std::string& help, const std::string& group);
  // The positional arguments that are left, any number of them.
  void add_rest(const std::string& name, const std::string& help);
  void add_examples(const std::vector<std::string>& examples);

  bool chosen() const { return app_->parsed(); }
  // InputError for the first argument that is not known or given twice.
  void check() const;
  // The table's flags that were given, in the table's order.
  std::vector<Setting> settings() const;
  // The text of one of the command's own flags, if it was given.
  std::optional<std::string> own(const std::string& name) const;
  // The value of one of its positional arguments; InputError says `what` is missing.
  std::string needed(const std::string& name, const std::string& what) const;
  bool own_switch(const std::string& name) const;
  std::vector<std::string> rest(const std::string& name) const;

 private:
  std::string name_;
  CLI::App* app_;
  std::set<std::string> repeatable_;  // flags and arguments that may be given several times
  std::vector<const Option*> options_;
  std::vector<std::string> flags_;  // every flag without its dashes, for suggestions
};

// InputError for an argument that `command` ("resist train") does not take, with the nearest of `flags`
// (without dashes).
[[noreturn]] void refuse_argument(const std::string& argument, const std::string& command,
                                  const std::vector<std::string>& flags);

}  // namespace resist
