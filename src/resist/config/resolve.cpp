#include "resist/config/resolve.h"

#include <fmt/format.h>

#include "resist/config/codec.h"
#include "resist/config/option.h"
#include "resist/config/recipe.h"
#include "resist/config/toml_file.h"
#include "resist/core/error.h"

namespace resist {
namespace {

constexpr const char* kRunConfigName = "config.toml";

const Setting* find(const std::vector<Setting>& settings, const std::string& name) {
  for (const auto& setting : settings) {
    if (setting.name == name) {
      return &setting;
    }
  }
  return nullptr;
}

bool same_folder(const std::filesystem::path& a, const std::filesystem::path& b) {
  return (a / "").lexically_normal() == (b / "").lexically_normal();
}

// `what`: is done with that run.
void check_unchanged(const Config& stored, const Config& now, const std::string& what) {
  std::string changes;
  for (const auto& name : resume_difference(stored, now)) {
    const Option& option = find_option(name);
    changes += fmt::format("{}--{} (was {}, now {})", changes.empty() ? "" : ", ", name, shown(option.get(stored)),
                           shown(option.get(now)));
  }
  if (!changes.empty()) {
    throw InputError(fmt::format("can't {} with changed {}; leave that as it was, or start a new run", what, changes));
  }
}

// Of a new training: --overlap and a rarer last section save something only in rounds that are not synchronised in
// full.
void check_rounds_not_in_full(const Config& config) {
  const bool last_section = config.sync.last_section_every > 1;
  const bool evaluates = config.evaluation.eval_every == 1;
  if ((config.sync.overlap || last_section) && (evaluates || config.run.checkpoint_every == 1)) {
    const char* saves = last_section ? "last-section-every" : "overlap";
    const char* every = evaluates ? "eval-every" : "checkpoint-every";
    throw InputError(fmt::format(
        "--{0} does nothing with --{1} 1: a round before {2} is synchronised in full, and here every round is; "
        "give --{1} 2 or more, or leave --{0} out",
        saves, every, evaluates ? "an evaluation" : "a checkpoint"));
  }
}

}  // namespace

void apply_settings(Config& config, const std::vector<Setting>& settings) {
  for (const auto& setting : settings) {
    try {
      find_option(setting.name).set(config, setting.value);
    } catch (const InputError& error) {
      throw InputError(setting.where + error.what());
    }
  }
  const Setting* epochs = find(settings, "epochs");
  const Setting* rounds = find(settings, "rounds");
  if (epochs != nullptr && rounds != nullptr && config.train.rounds > 0) {
    throw InputError(fmt::format("{}rounds is {} and {}epochs is {}; give only one of them", rounds->where,
                                 shown(rounds->value), epochs->where, shown(epochs->value)));
  }
  if (epochs != nullptr) {
    config.train.rounds = 0;
  }
}

ResolvedConfig resolve_train(const std::optional<std::filesystem::path>& config_file,
                             const std::vector<Setting>& flags) {
  const auto file = config_file ? load_settings(*config_file) : std::vector<Setting>();
  ResolvedConfig result;
  Config given = starting_config(file, flags);  // to see which run is resumed before its settings can be laid below
  apply_settings(given, file);
  apply_settings(given, flags);
  const std::filesystem::path resume = given.run.resume;
  std::error_code ignored;
  result.run_elsewhere = !resume.empty() && !std::filesystem::exists(resume / kRunConfigName, ignored);
  const bool run_here = !resume.empty() && !result.run_elsewhere;
  const std::filesystem::path replay = given.run.replay_membership;
  if (!replay.empty() && !resume.empty()) {
    throw InputError("--resume and --replay-membership are both given; a replay is a new run, so leave --resume out");
  }
  Config stored = run_here ? load_run_config(resume) : starting_config(file, flags);
  if (!replay.empty()) {
    stored = load_run_config(replay);
    stored.run.run_dir.clear();  // a replay gets a folder of its own
  }

  result.config = stored;
  apply_settings(result.config, file);
  apply_settings(result.config, flags);
  if (run_here) {
    if (!same_folder(result.config.run.run_dir, resume)) {
      throw InputError(
          fmt::format("--run-dir is '{}' and --resume is '{}'; a resumed run goes on in its own folder, "
                      "so leave --run-dir out",
                      result.config.run.run_dir.string(), resume.string()));
    }
    result.config.run.run_dir = resume;
    check_unchanged(stored, result.config, fmt::format("resume '{}'", resume.string()));
  }
  if (!replay.empty()) {
    check_unchanged(stored, result.config, fmt::format("replay '{}'", replay.string()));
  }
  validate(result.config);
  if (resume.empty() && replay.empty()) {
    check_rounds_not_in_full(result.config);
  }
  for (const auto* layer : {&file, &flags}) {
    for (const auto& setting : *layer) {
      result.given.insert(setting.name);
    }
  }
  return result;
}

Config adopt_shared(const nlohmann::json& shared, const Config& own, const std::set<std::string>& given) {
  Config config = config_from_json(shared);
  for (const auto& option : option_table()) {
    if (!option.same_on_all_workers || given.contains(option.name)) {
      option.set(config, option.get(own));
    }
  }
  return config;
}

Config stored_config(Config config) {
  config.run.resume.clear();
  config.run.replay_membership.clear();
  config.cluster.rendezvous.clear();
  config.cluster.join.clear();
  return config;
}

Config load_run_config(const std::filesystem::path& run_dir) {
  Config config;
  std::error_code ignored;
  if (!std::filesystem::is_directory(run_dir, ignored)) {
    throw InputError(
        fmt::format("'{}' is not the folder of a run: {}", run_dir.string(),
                    std::filesystem::exists(run_dir, ignored) ? "it is a file" : "there is no such folder"));
  }
  if (!std::filesystem::is_regular_file(run_dir / kRunConfigName, ignored)) {
    throw InputError(fmt::format("'{}' is not the folder of a run: it has no {}", run_dir.string(), kRunConfigName));
  }
  try {
    load_toml(run_dir / kRunConfigName, config);
  } catch (const InputError& error) {
    throw InputError(fmt::format("'{}' is not a run folder that can be used: {}", run_dir.string(), error.what()));
  }
  config.run.run_dir = run_dir;
  return stored_config(std::move(config));
}

}  // namespace resist
