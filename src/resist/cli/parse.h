#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "resist/config/resolve.h"

namespace resist {

enum class OutputFormat { table, json };

using TrainCommand = ResolvedConfig;

struct EvaluateCommand {
  std::filesystem::path run_dir;
  std::string checkpoint = "last";  // last, best or a round
  Config config;                    // the run's, with this command's flags on top
  OutputFormat format = OutputFormat::table;
};

struct PlanCommand {
  Config config;  // where data is not given, classes, channels and image_size are set (10, 3, 32 by default)
  bool data_given = false;
  std::vector<int> workers = {2, 4, 8};
  std::optional<double> bandwidth;  // of every worker's link, bits per second
  OutputFormat format = OutputFormat::table;
};

// To be printed on standard output: help or the version.
struct Message {
  std::string text;
};

using Command = std::variant<TrainCommand, EvaluateCommand, PlanCommand, Message>;

// Reads the arguments after the program's name, and the configuration files that they name. InputError holds one line
// without the leading "resist: ".
Command parse(const std::vector<std::string>& args);

}  // namespace resist
