#include "resist/cli/run_cli.h"

#include <exception>
#include <ostream>

#include "resist/cli/parse.h"
#include "resist/cli/reports.h"
#include "resist/cluster/rendezvous.h"
#include "resist/core/error.h"
#include "resist/core/log.h"
#include "resist/run/evaluate_run.h"
#include "resist/run/train_run.h"
#include "resist/run/training_session.h"

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
  int operator()(const EvaluateCommand& command) const {
    start_logging();
    print_evaluation(run_evaluate(command.run_dir, command.checkpoint, command.config), command.format, out);
    return kExitDone;
  }
  int operator()(const PlanCommand& command) const {
    start_logging();
    print_plan(command, out);
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
