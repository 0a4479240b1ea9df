#include "resist/cli/parse.h"

#include <fmt/format.h>

#include <algorithm>

#include "resist/cli/bandwidth.h"
#include "resist/cli/command_line.h"
#include "resist/config/codec.h"
#include "resist/config/nearest.h"
#include "resist/config/toml_file.h"
#include "resist/config/version.h"
#include "resist/core/error.h"

namespace resist {

template <>
inline constexpr auto kWords<OutputFormat> = std::to_array<EnumWord<OutputFormat>>({{OutputFormat::table, "table"},
                                                                                    {OutputFormat::json, "json"}});

namespace {

const std::vector<std::string> kCommands = {"train", "evaluate", "plan"};

// The whole program's command line.
struct Parser {
  CLI::App app{"Train one deep residual network on several workers, each with its own shallow sub-network.", "resist"};
  CommandLine train{app, "train", "Train a network, or go on with a run"};
  CommandLine evaluate{app, "evaluate", "Measure a trained run's accuracy on a test set"};
  CommandLine plan{app, "plan", "Predict parameters, bytes and memory per worker, without training"};

  Parser();
};

void describe_train(CommandLine& train) {
  for (const auto& option : option_table()) {
    train.add(option);
  }
  train.add_own("--config", "FILE", "TOML file with any of these options; flags win over it", "Run");
  train.add_examples({
      "resist train --data fashion-mnist --workers 4",
      "resist train --config my.toml --method local-sgd --run-dir runs/local",
      "resist train --resume runs/local --epochs 20",
  });
}

void describe_evaluate(CommandLine& evaluate) {
  evaluate.add_own("RUN", "", "the run's folder", "Positionals");
  evaluate.add_own("--checkpoint", "WHICH", "last, best or a round; default last", "Evaluation");
  evaluate.add_named({"eval-batch-size", "data", "data-dir", "precision", "threads"}, "the run's");
  evaluate.add_own("--format", "WORD", "output (table or json); default table", "Output");
  evaluate.add_examples({
      "resist evaluate runs/first",
      "resist evaluate runs/first --checkpoint best --format json",
  });
}

void describe_plan(CommandLine& plan) {
  plan.add_named({"model", "depths", "width", "classes", "channels", "image-size"});
  plan.add_named({"partition", "min-blocks", "partition-sections", "partition-first-blocks"});
  plan.add_named({"compress", "overlap", "precision"});
  plan.add_named({"method", "momentum-sync", "warmup-epochs", "batch-size", "eval-batch-size", "local-iterations",
                  "data", "data-dir"});
  plan.add_own("--workers", "N,N,...", "numbers of workers to plan for; default 2,4,8", "Workers");
  plan.add_own("--bandwidth", "RATE", "rate of a worker's link, such as 100mbit or 1gbit; predicts seconds", "Workers");
  plan.add_own("--format", "WORD", "output (table or json); default table", "Output");
  plan.add_examples({
      "resist plan --model preact-resnet101 --classes 100 --workers 2,4,8",
      "resist plan --model preact-resnet200 --bandwidth 100mbit --format json",
  });
}

Parser::Parser() {
  app.set_version_flag("--version", "resist " + std::string(version()), "Print the version");
  app.require_subcommand(0, 1);
  app.allow_extras();
  app.get_formatter()->column_width(36);
  app.footer("'resist COMMAND --help' shows a command's options and examples.");
  describe_train(train);
  describe_evaluate(evaluate);
  describe_plan(plan);
}

// The value of one of a command's own flags; messages show the flag with its dashes.
template <typename T>
T own_value(const CommandLine& line, const std::string& flag, const Codec<T>& codec, T otherwise) {
  const auto given = line.own(flag);
  return given ? parse_value(codec, flag, *given) : std::move(otherwise);
}

OutputFormat format_of(const CommandLine& line) {
  return own_value(line, "--format", codecs::choice<OutputFormat>(), OutputFormat::table);
}

TrainCommand read_train(const CommandLine& line) {
  const auto file = line.own("--config");
  const auto settings = line.settings();
  return resolve_train(file ? std::optional<std::filesystem::path>(*file) : std::nullopt, settings);
}

std::string checkpoint_of(const CommandLine& line) {
  std::string which = line.own("--checkpoint").value_or("last");
  const auto round = parse_number<std::int64_t>(which);
  if (which != "last" && which != "best" && (!round || *round < 0)) {
    refuse("--checkpoint", which, "last, best or the number of a round", {"last", "best"});
  }
  return which;
}

EvaluateCommand read_evaluate(const CommandLine& line) {
  EvaluateCommand command;
  const auto run = line.own("RUN");
  if (!run || run->empty()) {
    throw InputError("evaluate needs the folder of a run: resist evaluate RUN");
  }
  const auto settings = line.settings();
  command.run_dir = *run;
  command.checkpoint = checkpoint_of(line);
  command.format = format_of(line);
  command.config = load_run_config(command.run_dir);
  apply_settings(command.config, settings);
  validate(command.config);
  return command;
}

PlanCommand read_plan(const CommandLine& line) {
  PlanCommand command;
  const auto settings = line.settings();
  apply_settings(command.config, settings);
  command.data_given =
      std::any_of(settings.begin(), settings.end(), [](const Setting& setting) { return setting.name == "data"; });
  auto& model = command.config.model;
  if (!command.data_given) {
    model.classes = model.classes == 0 ? 10 : model.classes;
    model.channels = model.channels == 0 ? 3 : model.channels;
    model.image_size = model.image_size == 0 ? 32 : model.image_size;
  }
  validate(command.config);
  command.workers = own_value(line, "--workers", codecs::integers(1, 64, 1, 1024), command.workers);
  if (const auto rate = line.own("--bandwidth")) {
    command.bandwidth = parse_bandwidth(*rate);
  }
  command.format = format_of(line);
  return command;
}

std::optional<Message> run_cli11(Parser& parser, const std::vector<std::string>& args) {
  try {
    parser.app.parse(std::vector<std::string>(args.rbegin(), args.rend()));  // CLI11 takes them last first
  } catch (const CLI::CallForHelp&) {
    return Message{parser.app.help()};
  } catch (const CLI::CallForVersion& version_call) {
    return Message{std::string(version_call.what()) + "\n"};
  } catch (const CLI::ArgumentMismatch&) {  // only ever the last argument, whose value is missing
    throw InputError(fmt::format("{} needs a value", args.back()));
  } catch (const CLI::ParseError& error) {
    throw InputError(error.what());
  }
  return std::nullopt;
}

}  // namespace

Command parse(const std::vector<std::string>& args) {
  Parser parser;
  if (auto message = run_cli11(parser, args)) {
    return *message;
  }
  if (const auto rest = parser.app.remaining(); !rest.empty()) {
    if (rest.front().starts_with("-")) {
      refuse_argument(rest.front(), "resist", {"help", "version"});
    }
    throw InputError(fmt::format("unknown command '{}'{}", rest.front(),
                                 did_you_mean(rest.front(), kCommands, "", "; it must be " + join_words(kCommands))));
  }
  for (const auto* line : {&parser.train, &parser.evaluate, &parser.plan}) {
    if (line->chosen()) {
      line->check();
    }
  }
  if (parser.train.chosen()) {
    return read_train(parser.train);
  }
  if (parser.evaluate.chosen()) {
    return read_evaluate(parser.evaluate);
  }
  if (parser.plan.chosen()) {
    return read_plan(parser.plan);
  }
  throw InputError(fmt::format("no command given; it must be {}; 'resist --help' shows more", join_words(kCommands)));
}

}  // namespace resist
