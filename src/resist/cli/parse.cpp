#include "resist/cli/parse.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "resist/cli/command_line.h"
#include "resist/cli/command_tree.h"
#include "resist/cli/completion.h"
#include "resist/cluster/environment.h"
#include "resist/config/codec.h"
#include "resist/config/nearest.h"
#include "resist/config/recipe.h"
#include "resist/config/shipped.h"
#include "resist/config/toml_file.h"
#include "resist/config/version.h"
#include "resist/core/error.h"
#include "resist/plan/quantity.h"

namespace resist {

template <>
inline constexpr auto kWords<OutputFormat> = std::to_array<EnumWord<OutputFormat>>({{OutputFormat::table, "table"},
                                                                                    {OutputFormat::json, "json"}});
template <>
inline constexpr auto kWords<ModelFormat> =
    std::to_array<EnumWord<ModelFormat>>({{ModelFormat::safetensors, "safetensors"}, {ModelFormat::onnx, "onnx"}});
template <>
inline constexpr auto kWords<EvaluatedOn> = std::to_array<EnumWord<EvaluatedOn>>({{EvaluatedOn::test, "test"},
                                                                                  {EvaluatedOn::held_out, "held-out"}});
template <>
inline constexpr auto kWords<Shell> =
    std::to_array<EnumWord<Shell>>({{Shell::bash, "bash"}, {Shell::zsh, "zsh"}, {Shell::fish, "fish"}});
namespace {

constexpr const char* kPositionals = "Positionals";

// The whole program's command line.
struct Parser {
  CLI::App app{"Train one deep residual network on several workers, each with its own shallow sub-network.", "resist"};
  CommandLine train{app, "train", "Train a network, or go on with a run"};
  CommandLine watch{app, "watch", "Show a run in the terminal while it trains"};
  CommandLine serve{app, "serve", "Show runs in a browser while they train"};
  CommandLine report{app, "report", "Write a page that compares runs"};
  CommandLine average{app, "average", "Make a run whose network is the mean of a run's checkpoints"};
  CommandLine evaluate{app, "evaluate", "Measure a trained run's accuracy on its test sets, or on held-out samples"};
  CommandLine calibrate{app, "calibrate", "Compute norms' running statistics of a trained run"};
  CommandLine export_model{app, "export", "Write a trained run's network to a file of its own"};
  CommandLine predict{app, "predict", "Classify pictures with an exported network"};
  CommandLine plan{app, "plan", "Forecast bytes, memory and time of a training, and compare the methods"};
  CommandLine simulate{app, "simulate", "Simulate training on a cluster that one does not have"};
  CLI::App* data = app.add_subcommand("data", "Pack pictures into one file, and look into such files");
  CommandLine pack{*data, "data pack", "Pack a folder of pictures into one file"};
  CommandLine info{*data, "data info", "Say what is in a packed file"};
  CommandLine verify{*data, "data verify", "Check every sample of a packed file"};
  CommandLine rendezvous{app, "rendezvous", "Serve the place where workers of several machines meet"};
  CommandLine doctor{app, "doctor", "Look at this machine and say what training lacks"};
  CommandLine completion{app, "completion", "Print a script that completes command lines in a shell"};
  CommandLine man{app, "man", "Print a manual page"};

  Parser();
  std::vector<const CommandLine*> lines() const {
    return {&train, &watch,    &serve, &report, &average, &evaluate,   &calibrate, &export_model, &predict,
            &plan,  &simulate, &pack,  &info,   &verify,  &rendezvous, &doctor,    &completion,   &man};
  }
};

std::vector<std::string> names_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

// "table|json": the name of a value that is one of an enumeration's words.
template <typename Enum>
std::string one_of() {
  return fmt::format("{}", fmt::join(codecs::choice<Enum>().words, "|"));
}

void add_format(CommandLine& line) {
  line.add_own("--format", one_of<OutputFormat>(), "output; default table", "Output");
}

void add_run(CommandLine& line) {
  line.add_own("RUN", "", "the run's folder", kPositionals);
  line.add_own("--checkpoint", "last|best|ROUND", "which one; default last", "Run");
}

void describe_train(CommandLine& train) {
  for (const auto& option : option_table()) {
    train.add(option);
  }
  std::vector<std::string> shipped;
  for (const ShippedConfig& config : shipped_configs()) {
    shipped.push_back(config.name);
  }
  train.add_own("--config", "FILE",
                fmt::format("TOML file with any of these options, or {}; flags win over it", join_words(shipped)),
                "Run");
  train.add_examples({
      "resist train --data fashion-mnist --workers 4",
      "resist train --config my.toml --method local-sgd --run-dir runs/local",
      "resist train --resume runs/local --epochs 20",
  });
}

void describe_average(CommandLine& average) {
  average.add_own("RUN", "", "the run's folder", kPositionals);
  average.add_own("--newest", "N",
                  "how many checkpoints, from the newest back; default as many as the run keeps (--keep-checkpoints)",
                  "Run");
  average.add_own("-o,--output", "FOLDER", "the new run; default RUN-average", "Output");
  add_format(average);
  average.add_examples({
      "resist average runs/first",
      "resist average runs/first --newest 5 -o runs/mean",
  });
}

void describe_evaluate(CommandLine& evaluate) {
  add_run(evaluate);
  evaluate.add_own("--on", one_of<EvaluatedOn>(),
                   "the test sets, or the samples that the run held out and no test set; default test", "Evaluation");
  evaluate.add_named(
      {"eval", "eval-batch-size", "inference", "data", "data-dir", "skip-corrupt", "device", "precision", "threads"},
      "the run's");
  add_format(evaluate);
  evaluate.add_examples({
      "resist evaluate runs/first",
      "resist evaluate runs/first --checkpoint best --format json",
      "resist evaluate runs/first --inference ensemble",
      "resist evaluate runs/first --eval v2=imagenetv2-matched-frequency --eval old=val.resist",
  });
}

void describe_calibrate(CommandLine& calibrate) {
  add_run(calibrate);
  calibrate.add_named(
      {"calibrate-samples", "eval-batch-size", "data", "data-dir", "skip-corrupt", "device", "precision", "threads"},
      "the run's");
  calibrate.add_own_switch("--choose-scale", "also choose the residual scale, on the samples that the run held out",
                           "Evaluation");
  add_format(calibrate);
  calibrate.add_examples({
      "resist calibrate runs/first --checkpoint best",
      "resist calibrate runs/first --calibrate-samples 20000 --choose-scale",
  });
}

void describe_export(CommandLine& line) {
  add_run(line);
  line.add_own("--format", one_of<ModelFormat>(), "of the file; default safetensors", "Output");
  line.add_own("-o,--output", "FILE", "where to; default RUN/model.safetensors or RUN/model.onnx", "Output");
  line.add_examples({
      "resist export runs/first",
      "resist export runs/first --format onnx -o flowers.onnx --checkpoint best",
  });
}

void describe_predict(CommandLine& predict) {
  predict.add_own("MODEL", "", "a model.safetensors from resist export", kPositionals);
  predict.add_rest("PICTURE", "JPEG or PNG files");
  predict.add_own("--dump", "FOLDER", "also write inputs.f32 and logits.f32 there, to compare other runtimes with",
                  "Output");
  add_format(predict);
  predict.add_examples({"resist predict runs/first/model.safetensors cat.jpg dog.png"});
}

void describe_data(CommandLine& pack, CommandLine& info, CommandLine& verify) {
  pack.add_own("SRC", "", "folder with train/ and test/ or val/, or one set of pictures", kPositionals);
  pack.add_own("DST", "", "the new file", kPositionals);
  pack.add_own("--storage", one_of<PackStorage>(), "files as they are, or decoded pixels; default auto", "Packing");
  pack.add_own("--resize", "N", "shorter side of larger pictures, in pixels; with pixels: height and width of all",
               "Packing");
  pack.add_own("--skip-corrupt", "N", "damaged pictures left out, at most; default 0", "Packing");
  pack.add_examples({"resist data pack imagenet imagenet.resist --resize 256"});
  info.add_own("FILE", "", "a packed file", kPositionals);
  add_format(info);
  info.add_examples({"resist data info imagenet.resist --format json"});
  verify.add_own("FILE", "", "a packed file", kPositionals);
  verify.add_examples({"resist data verify imagenet.resist"});
}

void describe_watch(CommandLine& watch) {
  watch.add_own("RUN", "", "the run's folder", kPositionals);
  watch.add_own_switch("--once", "print a summary and end, as where the output is no terminal", "Output");
  watch.add_examples({"resist watch runs/first", "resist watch runs/first --once"});
}

void describe_serve(CommandLine& serve) {
  serve.add_rest("RUN", "runs' folders");
  serve.add_own("--host", "ADDRESS", "to listen on; default 127.0.0.1, which only this machine reaches", "Network");
  serve.add_own("--port", "N", "to listen on; 0: any that is free; default 8000", "Network");
  serve.add_examples({"resist serve runs/first", "resist serve runs/first runs/second --port 0"});
}

void describe_report(CommandLine& report) {
  report.add_rest("RUN", "runs' folders");
  report.add_own("-o,--output", "FILE", "the page; default report.html", "Output");
  report.add_examples({"resist report runs/first", "resist report runs/first runs/second -o comparison.html"});
}

void describe_rendezvous(CommandLine& rendezvous) {
  rendezvous.add_own("--port", "N", fmt::format("to listen on; 0: any that is free; default {}", kDefaultPort),
                     "Network");
  rendezvous.add_own("--token-file", "FILE",
                     "private file with the secret of its jobs; empty: RESIST_TOKEN, or for this machine alone",
                     "Network");
  rendezvous.add_examples({"resist rendezvous", "resist rendezvous --port 0"});
}

void describe_doctor(CommandLine& doctor) {
  doctor.add_named({"data-dir"});
  add_format(doctor);
  doctor.add_examples({"resist doctor", "resist doctor --format json"});
}

void describe_completion(CommandLine& completion) {
  completion.add_own("SHELL", one_of<Shell>(), "for which shell", kPositionals);
  completion.add_examples({
      "resist completion bash > ~/.local/share/bash-completion/completions/resist",
      "resist completion zsh > ~/.zfunc/_resist",
      "resist completion fish > ~/.config/fish/completions/resist.fish",
  });
}

void describe_man(CommandLine& man) {
  man.add_rest("COMMAND", "which command's page; default the program's");
  man.add_own("--write", "FOLDER", "write every page into this folder, as files", "Output");
  man.add_examples(
      {"resist man train | man -l -", "resist man data pack > resist-data-pack.1", "resist man --write man1"});
}

void describe_plan(CommandLine& plan) {
  plan.add_own("--config", "FILE", "TOML file, or the name of a shipped one; flags go before it", "Configuration");
  plan.add_named({"model", "depths", "width", "stem", "final-norm", "classes", "channels", "image-size"});
  plan.add_named({"partition", "min-blocks", "final-min-blocks", "dealing", "deal-every", "balance",
                  "partition-sections", "partition-first-blocks"});
  plan.add_named({"compress", "overlap", "overlap-iterations", "protect", "last-section-every", "outer-lr",
                  "outer-momentum", "precision"});
  plan.add_named({"recipe", "method", "momentum-sync", "warmup-epochs", "full-depth-epochs", "batch-size",
                  "eval-batch-size", "local-iterations", "max-local-iterations", "schedule", "epochs", "rounds",
                  "eval-every", "checkpoint-every", "calibrate-samples", "data", "data-dir", "threads"});
  plan.add_own("--samples", "N", "training samples where no --data is given; default 50000", "Workers");
  plan.add_own("--workers", "N,N,...", "numbers of workers to plan for; default 2,4,8", "Workers");
  plan.add_own("--bandwidth", "RATE,...", "rate of the workers' links, such as 100mbit or 1gbit; one, or one for each",
               "Workers");
  plan.add_own("--latency", "TIME,...", "from a worker to the middle of the network, one way, such as 20ms; default 0s",
               "Workers");
  plan.add_own("--speed", "SPEED,...", "operations a second of a worker's local steps, such as 40gflops", "Workers");
  plan.add_own("--measure", "N", "measures speeds on this machine instead, with at most N workers at once", "Workers");
  add_format(plan);
  plan.add_examples({
      "resist plan --model preact-resnet101 --classes 100 --workers 2,4,8",
      "resist plan --model preact-resnet101 --workers 4 --bandwidth 100mbit --latency 5ms --speed 40gflops",
      "resist plan --data fashion-mnist --workers 2,4 --bandwidth 100mbit --measure 2 --format json",
  });
}

Parser::Parser() {
  app.set_version_flag("--version", "resist " + std::string(version()), "Print the version");
  app.require_subcommand(0, 1);
  app.allow_extras();
  app.get_formatter()->column_width(36);
  app.footer(
      "'resist COMMAND --help' shows a command's options and examples.\n\nExamples:\n"
      "  resist train --data fashion-mnist --workers 4\n"
      "  resist watch runs/fashion-mnist-resist\n"
      "  resist evaluate runs/fashion-mnist-resist");
  describe_train(train);
  describe_average(average);
  describe_evaluate(evaluate);
  describe_calibrate(calibrate);
  describe_export(export_model);
  describe_predict(predict);
  describe_plan(plan);
  describe_simulate(simulate);
  add_format(simulate);
  data->require_subcommand(0, 1);
  data->footer(
      "Examples:\n  resist data pack imagenet imagenet.resist --resize 256\n"
      "  resist data info imagenet.resist");
  data->allow_extras();
  describe_data(pack, info, verify);
  describe_watch(watch);
  describe_serve(serve);
  describe_report(report);
  describe_rendezvous(rendezvous);
  describe_doctor(doctor);
  describe_completion(completion);
  describe_man(man);
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

RunChoice read_run(const CommandLine& line) {
  RunChoice run;
  run.run_dir = line.needed("RUN", "the folder of a run");
  const auto settings = line.settings();
  run.checkpoint = checkpoint_of(line);
  run.config = load_run_config(run.run_dir);
  apply_settings(run.config, settings);
  validate(run.config);
  return run;
}

AverageCommand read_average(const CommandLine& line) {
  AverageCommand command{.run_dir = line.needed("RUN", "the folder of a run"),
                         .newest = std::nullopt,
                         .output = line.own("--output").value_or(""),
                         .format = format_of(line)};
  if (line.own("--newest")) {
    command.newest = own_value(line, "--newest", codecs::integer<int>(2, 1'000'000), 2);
  }
  return command;
}

EvaluateCommand read_evaluate(const CommandLine& line) {
  EvaluateCommand command{.run = read_run(line),
                          .on = own_value(line, "--on", codecs::choice<EvaluatedOn>(), EvaluatedOn::test),
                          .format = format_of(line)};
  const auto names_set = [](const Setting& setting) { return setting.name == "eval"; };
  if (command.on == EvaluatedOn::held_out && std::ranges::any_of(line.settings(), names_set)) {
    throw InputError(
        "--eval names a further test set, but with --on held-out none is looked at: leave one of them out");
  }
  return command;
}

CalibrateCommand read_calibrate(const CommandLine& line) {
  CalibrateCommand command{
      .run = read_run(line), .choose_scale = line.own_switch("--choose-scale"), .format = format_of(line)};
  if (command.run.config.evaluation.calibrate_samples == 0) {
    throw InputError("--calibrate-samples is 0, so there is nothing to compute statistics from; it must be at least 1");
  }
  return command;
}

// What --format says, or the output's name; they must not say different things.
ModelFormat model_format(const CommandLine& line) {
  const std::string extension = std::filesystem::path(line.own("--output").value_or("")).extension().string();
  const ModelFormat by_name = extension == ".onnx" ? ModelFormat::onnx : ModelFormat::safetensors;
  const ModelFormat format = own_value(line, "--format", codecs::choice<ModelFormat>(), by_name);
  if (format != by_name && (extension == ".onnx" || extension == ".safetensors")) {
    throw InputError(
        fmt::format("--output ends in {}, but --format is {}: change one of them", extension, to_word(format)));
  }
  return format;
}

ExportCommand read_export(const CommandLine& line) {
  return {.run = read_run(line), .format = model_format(line), .output = line.own("--output").value_or("")};
}

PredictCommand read_predict(const CommandLine& line) {
  PredictCommand command{.model = line.needed("MODEL", "a model.safetensors"),
                         .dump = line.own("--dump").value_or(""),
                         .format = format_of(line)};
  for (const std::string& picture : line.rest("PICTURE")) {
    command.pictures.emplace_back(picture);
  }
  if (command.pictures.empty()) {
    throw InputError("predict needs pictures: resist predict MODEL PICTURE...");
  }
  return command;
}

PackCommand read_pack(const CommandLine& line) {
  return {.source = line.needed("SRC", "a folder of pictures"),
          .destination = line.needed("DST", "the file to write"),
          .storage = own_value(line, "--storage", codecs::choice<PackStorage>(), PackStorage::automatic),
          .resize = own_value(line, "--resize", codecs::integer<int>(1, 4096), 0),
          .skip_corrupt = own_value(line, "--skip-corrupt", codecs::integer<int>(0, 1'000'000), 0)};
}

PlanCommand read_plan(const CommandLine& line) {
  PlanCommand command;
  auto settings = line.settings();
  const auto file = line.own("--config");
  const auto of_file = file ? load_settings(*file) : std::vector<Setting>();
  const auto resolved = [&](const std::vector<Setting>& flags) {
    Config config = starting_config(of_file, flags);
    apply_settings(config, of_file);
    apply_settings(config, flags);
    return config;
  };
  command.config = resolved(settings);
  const Method given_method = command.config.train.method;
  if (given_method == Method::data_parallel) {
    // The other methods are planned beside it with a recipe of theirs, of which it uses as much as its own has.
    auto usual = settings;
    usual.push_back({.name = "method", .value = to_word(Method::local_sgd), .where = {}});
    validate(command.config);
    command.config = resolved(usual);
  }
  settings.insert(settings.begin(), of_file.begin(), of_file.end());
  const auto given = [&](std::string_view name) {
    return std::ranges::any_of(settings, [&](const Setting& setting) { return setting.name == name; });
  };
  command.data_given = given("data");
  auto& model = command.config.model;
  if (!command.data_given) {
    model.classes = model.classes == 0 ? 10 : model.classes;
    model.channels = model.channels == 0 ? 3 : model.channels;
    model.image_size = model.image_size == 0 ? 32 : model.image_size;
  }
  validate(command.config);
  command.workers = own_value(line, "--workers", codecs::integers(1, 64, 1, 1024), command.workers);
  if (given("method")) {
    command.methods =
        given_method == Method::local_sgd ? std::vector{given_method} : std::vector{given_method, Method::local_sgd};
  }
  command.samples = own_value(line, "--samples", codecs::integer<std::int64_t>(1, 1'000'000'000), command.samples);
  const auto read_quantities = [&](const char* flag, Quantity quantity, std::vector<double>& values) {
    if (const auto text = line.own(flag)) {
      values = parse_quantities(flag, *text, quantity);
    }
  };
  read_quantities("--bandwidth", Quantity::bandwidth, command.bandwidths);
  read_quantities("--latency", Quantity::duration, command.latencies);
  read_quantities("--speed", Quantity::speed, command.speeds);
  if (line.own("--measure")) {
    command.measure = own_value(line, "--measure", codecs::integer<int>(1, 1024), 1);
  }
  if (command.measure && !command.speeds.empty()) {
    throw InputError("--speed and --measure exclude each other: workers' speeds are given or measured");
  }
  command.format = format_of(line);
  return command;
}

std::vector<std::filesystem::path> runs_of(const CommandLine& line, const std::string& command) {
  const auto rest = line.rest("RUN");
  if (rest.empty()) {
    throw InputError(fmt::format("{0} needs runs: resist {0} RUN...", command));
  }
  return {rest.begin(), rest.end()};
}

ServeCommand read_serve(const CommandLine& line) {
  constexpr int kUsualPort = 8000;
  return {.runs = runs_of(line, "serve"),
          .options = {.host = line.own("--host").value_or("127.0.0.1"),
                      .port = own_value(line, "--port", codecs::integer<int>(0, 65535), kUsualPort)}};
}

DoctorCommand read_doctor(const CommandLine& line) {
  Config config;
  apply_settings(config, line.settings());
  return {.data_dir = config.data.data_dir, .format = format_of(line)};
}

Message read_completion(const CommandLine& line, const CLI::App& app) {
  const std::string shell = line.needed("SHELL", "a shell: bash, zsh or fish");
  return {completion_script(command_tree(app), parse_value(codecs::choice<Shell>(), "SHELL", shell))};
}

ManualCommand read_manual(const CommandLine& line, const CLI::App& app) {
  const CommandNode program = command_tree(app);
  const std::string release = "resist " + std::string(version());
  const auto words = line.rest("COMMAND");
  const auto folder = line.own("--write");
  if (folder && !words.empty()) {
    throw InputError(fmt::format("--write writes every page, so leave '{}' out", fmt::join(words, " ")));
  }
  if (folder) {
    return {.pages = manual_pages(program, release), .folder = *folder};
  }
  return {.pages = {manual_page(program, find_command(program, words), release)}};
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

// The command that was chosen but is not one of them.
[[noreturn]] void refuse_command(const CLI::App& app, const std::string& name) {
  const auto rest = app.remaining();
  const auto commands = names_of(app);
  if (rest.empty()) {
    throw InputError(
        fmt::format("no command given; it must be {}; '{} --help' shows more", join_words(commands), name));
  }
  if (rest.front().starts_with("-")) {
    refuse_argument(rest.front(), name, {"help", "version"});
  }
  throw InputError(fmt::format("unknown command '{}'{}", rest.front(),
                               did_you_mean(rest.front(), commands, "", "; it must be " + join_words(commands))));
}

}  // namespace

Command parse(const std::vector<std::string>& args) {
  Parser parser;
  if (auto message = run_cli11(parser, args)) {
    return *message;
  }
  if (!parser.app.remaining().empty()) {
    refuse_command(parser.app, "resist");
  }
  for (const CommandLine* line : parser.lines()) {
    if (line->chosen()) {
      line->check();
    }
  }
  if (parser.train.chosen()) {
    return read_train(parser.train);
  }
  if (parser.average.chosen()) {
    return read_average(parser.average);
  }
  if (parser.evaluate.chosen()) {
    return read_evaluate(parser.evaluate);
  }
  if (parser.calibrate.chosen()) {
    return read_calibrate(parser.calibrate);
  }
  if (parser.export_model.chosen()) {
    return read_export(parser.export_model);
  }
  if (parser.predict.chosen()) {
    return read_predict(parser.predict);
  }
  if (parser.simulate.chosen()) {
    return SimulateCommand{.request = read_simulation(parser.simulate), .format = format_of(parser.simulate)};
  }
  if (parser.plan.chosen()) {
    return read_plan(parser.plan);
  }
  if (parser.pack.chosen()) {
    return read_pack(parser.pack);
  }
  if (parser.info.chosen()) {
    return PackedInfoCommand{.file = parser.info.needed("FILE", "a packed file"), .format = format_of(parser.info)};
  }
  if (parser.verify.chosen()) {
    return VerifyCommand{.file = parser.verify.needed("FILE", "a packed file")};
  }
  if (parser.watch.chosen()) {
    return WatchCommand{.run_dir = parser.watch.needed("RUN", "the folder of a run"),
                        .once = parser.watch.own_switch("--once")};
  }
  if (parser.serve.chosen()) {
    return read_serve(parser.serve);
  }
  if (parser.report.chosen()) {
    return ReportCommand{.runs = runs_of(parser.report, "report"),
                         .output = parser.report.own("--output").value_or("report.html")};
  }
  if (parser.rendezvous.chosen()) {
    return RendezvousCommand{
        .port = own_value(parser.rendezvous, "--port", codecs::integer<int>(0, 65535), kDefaultPort),
        .token_file = parser.rendezvous.own("--token-file").value_or("")};
  }
  if (parser.doctor.chosen()) {
    return read_doctor(parser.doctor);
  }
  if (parser.completion.chosen()) {
    return read_completion(parser.completion, parser.app);
  }
  if (parser.man.chosen()) {
    return read_manual(parser.man, parser.app);
  }
  if (parser.data->parsed()) {
    refuse_command(*parser.data, "resist data");
  }
  refuse_command(parser.app, "resist");
}

}  // namespace resist
