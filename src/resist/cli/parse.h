#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "resist/cli/manual.h"
#include "resist/cli/simulate_request.h"
#include "resist/config/resolve.h"
#include "resist/data/packed.h"
#include "resist/report/live_server.h"
#include "resist/run/evaluate_run.h"
#include "resist/run/export_run.h"

namespace resist {

enum class OutputFormat { table, json };

using TrainCommand = ResolvedConfig;

// A checkpoint of a run.
struct RunChoice {
  std::filesystem::path run_dir;
  std::string checkpoint = "last";  // last, best or a round
  Config config;                    // the run's, with the command's flags on top
};

struct AverageCommand {
  std::filesystem::path run_dir;
  std::optional<int> newest;     // of its checkpoints; unset: as many as it keeps
  std::filesystem::path output;  // empty: RUN-average
  OutputFormat format = OutputFormat::table;
};

struct EvaluateCommand {
  RunChoice run;
  EvaluatedOn on = EvaluatedOn::test;
  OutputFormat format = OutputFormat::table;
};

struct CalibrateCommand {
  RunChoice run;
  bool choose_scale = false;
  OutputFormat format = OutputFormat::table;
};

struct ExportCommand {
  RunChoice run;
  ModelFormat format = ModelFormat::safetensors;
  std::filesystem::path output;  // empty: in the run folder
};

struct PredictCommand {
  std::filesystem::path model;
  std::vector<std::filesystem::path> pictures;
  std::filesystem::path dump;  // folder for inputs and logits; empty: not written
  OutputFormat format = OutputFormat::table;
};

using PackCommand = PackOptions;

struct PackedInfoCommand {
  std::filesystem::path file;
  OutputFormat format = OutputFormat::table;
};

struct VerifyCommand {
  std::filesystem::path file;
};

struct PlanCommand {
  Config config;  // where data is not given, classes, channels and image_size are set (10, 3, 32 by default)
  bool data_given = false;
  std::int64_t samples = 50'000;  // of the training set where data is not given; a fifth as many are evaluated
  std::vector<Method> methods = {Method::resist, Method::local_sgd, Method::data_parallel};
  std::vector<int> workers = {2, 4, 8};
  std::vector<double> bandwidths;       // bits per second; one, or one for each worker; empty: not known
  std::vector<double> latencies = {0};  // seconds, likewise
  std::vector<double> speeds;           // floating-point operations a second, likewise
  std::optional<int> measure;           // how many workers at once to measure on this machine
  OutputFormat format = OutputFormat::table;
};

struct WatchCommand {
  std::filesystem::path run_dir;
  bool once = false;  // print a summary, also on a terminal
};

struct ServeCommand {
  std::vector<std::filesystem::path> runs;
  LiveServerOptions options;
};

struct RendezvousCommand {
  int port = 0;
  std::filesystem::path token_file;
};

struct ReportCommand {
  std::vector<std::filesystem::path> runs;
  std::filesystem::path output;
};

struct DoctorCommand {
  std::filesystem::path data_dir;  // where known data sets lie; empty: the usual places
  OutputFormat format = OutputFormat::table;
};

struct ManualCommand {
  std::vector<ManualPage> pages;
  std::filesystem::path folder;  // to write them into; empty: standard output
};

struct SimulateCommand {
  SimulationRequest request;
  OutputFormat format = OutputFormat::table;
};

// To be printed on standard output: help, the version or a completion script.
struct Message {
  std::string text;
};

using Command =
    std::variant<TrainCommand, AverageCommand, EvaluateCommand, CalibrateCommand, ExportCommand, PredictCommand,
                 PlanCommand, PackCommand, PackedInfoCommand, VerifyCommand, WatchCommand, ServeCommand, ReportCommand,
                 RendezvousCommand, DoctorCommand, ManualCommand, SimulateCommand, Message>;

// Reads the arguments after the program's name, and the configuration files that they name. InputError holds one line
// without the leading "resist: ".
Command parse(const std::vector<std::string>& args);

}  // namespace resist
