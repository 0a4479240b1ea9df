#include "resist/cli/run_cli.h"

#include <fmt/format.h>

#include <exception>
#include <functional>
#include <ostream>

#include "resist/cli/doctor.h"
#include "resist/cli/parse.h"
#include "resist/cli/plan_report.h"
#include "resist/cli/reports.h"
#include "resist/cli/simulate_report.h"
#include "resist/cluster/rendezvous.h"
#include "resist/cluster/token.h"
#include "resist/comm/agreement.h"
#include "resist/core/error.h"
#include "resist/core/file.h"
#include "resist/core/json_text.h"
#include "resist/core/log.h"
#include "resist/report/page.h"
#include "resist/run/signals.h"
#include "resist/run/train_run.h"
#include "resist/run/training_session.h"
#include "resist/watch/watch.h"

namespace resist {
namespace {

struct Dispatch {
  const std::vector<std::string>& args;
  std::ostream& out;

  int operator()(const Message& message) const {
    out << message.text;
    return kExitDone;
  }
  int operator()(const TrainCommand& command) const { return run_train(command, args, out); }
  int operator()(const AverageCommand& command) const {
    start_logging();
    print_average(run_average(command.run_dir, command.newest, command.output, stopper()), command.format, out);
    return kExitDone;
  }
  int operator()(const EvaluateCommand& command) const {
    start_logging();
    const RunChoice& run = command.run;
    print_evaluation(run_evaluate(run.run_dir, run.checkpoint, run.config, command.on), command.format, out);
    return kExitDone;
  }
  int operator()(const CalibrateCommand& command) const {
    start_logging();
    const RunChoice& run = command.run;
    print_calibration(run_calibrate(run.run_dir, run.checkpoint, run.config, command.choose_scale), command.format,
                      out);
    return kExitDone;
  }
  int operator()(const ExportCommand& command) const {
    start_logging();
    const RunChoice& run = command.run;
    print_export(run_export(run.run_dir, run.checkpoint, run.config, command.format, command.output), out);
    return kExitDone;
  }
  int operator()(const PredictCommand& command) const {
    start_logging();
    Predictor predictor(command.model);
    if (!command.dump.empty()) {
      predictor.dump_to(command.dump);
    }
    for (const auto& picture : command.pictures) {
      print_prediction(picture, predictor.classify(picture), command.format, out);
    }
    return kExitDone;
  }
  int operator()(const PackCommand& command) const {
    start_logging();
    pack_data(command, out, stopper());
    return kExitDone;
  }
  int operator()(const PackedInfoCommand& command) const {
    start_logging();
    print_packed_info(packed_info(command.file), command.format, out);
    return kExitDone;
  }
  int operator()(const VerifyCommand& command) const {
    start_logging();
    return verify(command.file);
  }
  int operator()(const WatchCommand& command) const {
    watch_run(command.run_dir, command.once, out);
    return kExitDone;
  }
  int operator()(const ServeCommand& command) const {
    start_logging();
    serve_runs(command.runs, command.options, watch_signals(/*speaks=*/false), out);
    return kExitDone;
  }
  int operator()(const ReportCommand& command) const {
    start_logging();
    write_report(command.runs, command.output);
    out << fmt::format("wrote {}\n", command.output.string());
    return kExitDone;
  }
  int operator()(const RendezvousCommand& command) const {
    start_logging();
    serve_rendezvous(command.port, read_token(command.token_file, process_environment()),
                     watch_signals(/*speaks=*/false), out);
    return kExitDone;
  }
  int operator()(const DoctorCommand& command) const {
    start_logging();
    return print_findings(findings_of(gather_facts(command)), command.format, out);
  }
  int operator()(const ManualCommand& command) const {
    std::error_code problem;
    if (!command.folder.empty()) {
      std::filesystem::create_directories(command.folder, problem);
    }
    if (problem) {
      throw InputError(fmt::format("can't make the folder '{}': {}", command.folder.string(), problem.message()));
    }
    for (const ManualPage& page : command.pages) {
      if (command.folder.empty()) {
        out << page.text;
      } else {
        write_file_atomically(command.folder / page.name, page.text);
      }
    }
    return kExitDone;
  }
  int operator()(const SimulateCommand& command) const {
    start_logging();
    print_simulation(command.request, command.format, out);
    return kExitDone;
  }
  int operator()(const PlanCommand& command) const {
    start_logging();
    print_plan(command, out);
    return kExitDone;
  }

 private:
  // Throws once a signal has come, so that what is half done is removed.
  static std::function<void()> stopper() {
    return [&stop = watch_signals(/*speaks=*/false)] {
      if (stop != 0) {
        throw Interrupted(stop);
      }
    };
  }
  int verify(const std::filesystem::path& file) const {
    constexpr std::size_t kMostNamed = 100;
    const auto damaged = verify_packed(file, kMostNamed);
    for (const std::string& name : damaged) {
      out << "damaged: " << in_quotes(name) << '\n';
    }
    if (!damaged.empty()) {
      throw InputError(fmt::format("'{}' has {}{} damaged samples; pack it anew, or leave them out with --skip-corrupt",
                                   file.string(), damaged.size() == kMostNamed ? "at least " : "", damaged.size()));
    }
    out << fmt::format("'{}': every sample is as it was packed\n", file.string());
    return kExitDone;
  }
};

}  // namespace

int run_cli(const std::vector<std::string>& args, std::ostream& out, std::ostream& err) {
  try {
    return std::visit(Dispatch{.args = args, .out = out}, parse(args));
  } catch (const InputError& error) {
    err << "resist: " << error.what() << '\n';
    return kExitUsage;
  } catch (const PeerFailed& error) {
    return error.exit_code();
  } catch (const Interrupted& error) {
    err << "resist: " << error.what() << '\n';
    return 128 + error.signal();
  } catch (const std::exception& error) {
    // libtorch's messages go on with a stack.
    const std::string message = error.what();
    err << "resist: " << message.substr(0, message.find('\n')) << '\n';
    return kExitFailed;
  }
}

}  // namespace resist
