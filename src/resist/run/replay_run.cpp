#include "resist/run/replay_run.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <ostream>
#include <set>
#include <vector>

#include "resist/cluster/membership_script.h"
#include "resist/cluster/replayed_workers.h"
#include "resist/config/option.h"
#include "resist/core/error.h"
#include "resist/model/device.h"
#include "resist/run/signals.h"
#include "resist/run/threads.h"
#include "resist/run/training_session.h"
#include "resist/sync/sync_plan.h"
#include "resist/telemetry/run_folder.h"

namespace resist {
namespace {

std::vector<MembershipScript> scripts_of(const std::filesystem::path& run, const Config& config) {
  const std::vector<HistoryRecord> history = read_history(run);
  if (history.empty()) {
    throw InputError(fmt::format(
        "'{}' has no rounds to replay: its history.jsonl is empty, as that of a mean of checkpoints is", run.string()));
  }
  auto scripts = membership_scripts(history, config.train.method == Method::data_parallel);
  if (!scripts.empty() && scripts.front().first_round > 0) {
    throw InputError(fmt::format(
        "'{}' began with the network of round {} of another run, which is not in its history, so it can't be "
        "replayed",
        run.string(), scripts.front().first_round));
  }
  const bool changed =
      std::ranges::any_of(scripts, [](const MembershipScript& script) { return !script.changes.empty(); });
  if (changed && !shared_always_agree(config.sync)) {
    throw InputError(
        fmt::format("'{}' was trained with --{} and its workers changed; what each of them had then is not in its "
                    "history, so it can't be replayed",
                    run.string(), config.sync.overlap ? "overlap" : "last-section-every"));
  }
  return scripts;
}

// Deals as the workers agreed to, whatever their speeds are now.
class RecordedBalance : public BlockBalance {
 public:
  explicit RecordedBalance(const MembershipScript& script) : script_(script) {}

  Hands next_hands(std::int64_t generation, std::int64_t round, const std::vector<Pace>& /*paces*/,
                   const Hands& /*now*/) const override {
    const auto blocks = script_.blocks.find({generation, round});
    return blocks == script_.blocks.end() ? Hands{} : blocks->second;
  }

 private:
  const MembershipScript& script_;
};

// All that were ever there, those that joined included.
int workers_in_all(const MembershipScript& script) {
  std::set<int> joined;
  for (const MembershipScript::Change& change : script.changes) {
    std::ranges::copy_if(change.members, std::inserter(joined, joined.end()),
                         [&](int member) { return member >= script.workers; });
  }
  return script.workers + static_cast<int>(joined.size());
}

// The exit code of the first of the workers that are there in the end.
int replay_start(const Config& config, const Replay& replay, std::ostream& out) {
  const std::atomic<int>& signal = watch_signals(/*speaks=*/true);
  std::atomic<int> stop = 0;
  TrainingSetup setup = prepare_training(config, replay.script.workers);
  check_sharing(setup.device, workers_in_all(replay.script));
  if (setup.balance) {
    setup.balance = std::make_shared<RecordedBalance>(replay.script);
  }
  take_cores_in_process(config.cluster.threads, replay.script.workers);
  std::atomic<int> code = kExitDone;
  replay_workers(
      replay, signal, stop,
      [&](const std::shared_ptr<Communicator>& communicator, Membership& membership) {
        const int own = train_session(setup, *communicator, stop, out, &membership);
        code = std::max(code.load(), own);
      },
      [&](Generation generation, Membership& membership) {
        const int own = join_session(setup, std::move(generation), stop, out, membership);
        code = std::max(code.load(), own);
      });
  return signal.load() != 0 ? code.load() : replay.goes_on ? kExitDone : code.load();
}

// `config` with what that start had changed, but for what was given now.
Config config_of(const MembershipScript& script, const ResolvedConfig& resolved, Config config) {
  for (const auto& [name, value] : script.options.items()) {
    if (!resolved.given.contains(name)) {
      find_option(name).set(config, value);
    }
  }
  validate(config);
  return config;
}

std::map<std::int64_t, CommitRecord> commits_of(const std::filesystem::path& run) {
  std::map<std::int64_t, CommitRecord> commits;
  for (const HistoryRecord& record : read_history(run)) {
    if (const auto* commit = std::get_if<CommitRecord>(&record)) {
      commits[commit->round] = *commit;
    }
  }
  return commits;
}

int compare(const std::filesystem::path& run, const std::filesystem::path& replayed, std::ostream& out) {
  const auto expected = commits_of(run);
  auto got = commits_of(replayed);
  for (const auto& [round, commit] : expected) {
    const CommitRecord& again = got[round];
    if (commit.contributions != again.contributions || commit.shared != again.shared) {
      spdlog::error(
          "round {} is the first whose result differs from '{}'; the same bits need the same build of resist and "
          "libtorch, kind of processor, --threads, --precision and data",
          round, run.string());
      return kExitFailed;
    }
  }
  out << fmt::format("{} rounds replayed with the same bits as in {}\n", expected.size(), run.string());
  return kExitDone;
}

}  // namespace

int run_replay(const ResolvedConfig& resolved, std::ostream& out) {
  Config config = resolved.config;
  const std::filesystem::path run = config.run.replay_membership;
  const auto scripts = scripts_of(run, config);
  config.run.replay_membership.clear();
  if (config.run.run_dir.empty()) {
    config.run.run_dir = RunFolder::free_path((run / "").parent_path().filename().string() + "-replay");
  }
  RunFolder::require_new(config.run.run_dir);
  bool begun = false;
  for (std::size_t start = 0; start < scripts.size(); ++start) {
    Replay replay{.script = scripts[start], .goes_on = start + 1 < scripts.size(), .deadline = config.cluster.timeout};
    if (replay.goes_on) {
      replay.script.last_round = scripts[start + 1].first_round;
    }
    if (replay.script.last_round <= replay.script.first_round) {
      continue;  // nothing of it was kept
    }
    Config part = config_of(replay.script, resolved, config);
    part.cluster.workers = {.least = 1, .most = replay.script.workers};
    part.run.resume = begun ? config.run.run_dir : std::filesystem::path();
    begun = true;
    if (const int code = replay_start(part, replay, out); code != kExitDone) {
      return code;
    }
  }
  return compare(run, config.run.run_dir, out);
}

}  // namespace resist
