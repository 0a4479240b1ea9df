#include "resist/run/training_session.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <functional>
#include <optional>
#include <ostream>

#include "resist/checkpoint/checkpoint.h"
#include "resist/comm/agreement.h"
#include "resist/comm/collectives.h"
#include "resist/comm/tags.h"
#include "resist/config/enum_words.h"
#include "resist/config/option.h"
#include "resist/config/resolve.h"
#include "resist/config/toml_file.h"
#include "resist/core/counted.h"
#include "resist/core/hash.h"
#include "resist/model/device.h"
#include "resist/model/precision.h"
#include "resist/run/calibrate_run.h"
#include "resist/run/checkpointing.h"
#include "resist/run/run_data.h"
#include "resist/run/run_observer.h"
#include "resist/run/version.h"
#include "resist/telemetry/run_folder.h"

namespace resist {
namespace {

std::filesystem::path run_path(const Config& config) {
  if (!config.run.run_dir.empty()) {
    return config.run.run_dir;
  }
  const std::string data = std::filesystem::path(config.data.data).filename().string();
  const std::string name = data.substr(0, data.find(':'));
  return RunFolder::free_path(fmt::format("{}-{}", name, to_word(config.train.method)));
}

// Worker 0 decides, since other machines may have other folders.
std::filesystem::path agreed_run_path(const Config& config, Communicator& communicator) {
  std::array<char, kLongestRunPath> text{};
  on_worker_0(communicator, [&] {
    const std::string path = run_path(config).string();
    if (path.size() >= text.size()) {
      throw InputError(
          fmt::format("the run folder's name is too long: {} bytes, at most {}", path.size(), text.size()));
    }
    path.copy(text.data(), path.size());
  });
  return all_gather_value(communicator, text, kControlTag)[0].data();
}

// Everything of a data set that decides what workers do together: a digest of its classes, input and parts.
std::uint64_t digest_of(const DataSource& data) {
  nlohmann::json parts = {{"input", {data.info.channels, data.info.height, data.info.width}},
                          {"classes", data.info.class_names},
                          {"test", data.test->size()}};
  for (const TestSet& set : data.further) {
    parts["further"].push_back({set.name, set.dataset->size()});
  }
  return hash_64(parts.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
}

// Workers may read their data from different disks; it must be the same.
void compare_data(const TrainingSetup& setup, Communicator& communicator) {
  struct Sizes {
    std::int64_t train;
    std::int64_t evaluation;
    std::int64_t classes;
    std::uint64_t digest;
    bool operator==(const Sizes&) const = default;
  };
  const Sizes own{setup.data.train->size(), setup.data.evaluation()->size(), setup.data.info.classes,
                  digest_of(setup.data)};
  const auto all = all_gather_value(communicator, own, kControlTag);
  for (std::size_t worker = 1; worker < all.size(); ++worker) {
    Sizes same = all[worker];
    same.digest = all[0].digest;
    if (!(same == all[0])) {
      throw InputError(
          fmt::format("worker {} has {} training and {} evaluation samples of {} classes where worker 0 has {}, {} "
                      "and {}; give all the same data",
                      worker, all[worker].train, all[worker].evaluation, all[worker].classes, all[0].train,
                      all[0].evaluation, all[0].classes));
    }
    if (!(all[worker] == all[0])) {
      throw InputError(fmt::format(
          "worker {} has other names of classes, another size of pictures or other test sets than worker 0, "
          "--eval's included; give all the same data",
          worker));
    }
  }
}

// The best accuracy of a run so far, or -1.
double best_accuracy(const std::vector<RoundRecord>& written) {
  double best = -1;
  for (const RoundRecord& record : written) {
    best = std::max(best, record.accuracy.value_or(-1));
  }
  return best;
}

// The newest checkpoint of a run, or nothing where the run ended before its first. InputError if it was trained with
// options that may not change: config.toml is a file that anybody can edit.
std::optional<Checkpoint> checkpoint_to_resume(const std::filesystem::path& run_dir, const Config& config) {
  if (!has_checkpoints(run_dir)) {
    return std::nullopt;
  }
  Checkpoint checkpoint = open_checkpoint(run_dir, "last");
  const auto changed = resume_difference(config_from_json(checkpoint.state().config), config);
  if (!changed.empty()) {
    throw InputError(
        fmt::format("the checkpoint '{}' was trained with another --{} than the run's config.toml says; put "
                    "the file back as it was",
                    checkpoint.folder().string(), fmt::join(changed, ", --")));
  }
  return checkpoint;
}

void log_start(const Trainer& trainer, const std::filesystem::path& path, int workers) {
  const TrainingSetup& setup = trainer.setup();
  const Config& config = setup.config;
  spdlog::info("{}; run folder {}", full_version(), path.string());
  std::string scales;
  for (std::size_t deck = 0; deck < setup.decks.size(); ++deck) {
    scales +=
        fmt::format(", section {}: {} blocks to deal", setup.layout.decks[deck].section, setup.decks[deck].blocks);
  }
  spdlog::info("{} on {}: {} training samples, {}, {} parameters{}", to_word(config.train.method), setup.data.info.name,
               setup.data.train->size(), counted(workers, "worker"), setup.layout.total_size(), scales);
  if (workers == 1 || config.cluster.in_process) {  // workers that are processes have said it of themselves
    spdlog::info("computing on {}, {}", device_in_words(setup.device),
                 precision_in_words(config.cluster.precision, multiplies_bf16(setup.device)));
  }
  if (config.train.method == Method::resist &&
      std::ranges::equal(make_method(config_at(config, 0), setup.decks, workers)->slots(false), setup.decks, {}, {},
                         &DeckSize::blocks)) {
    spdlog::info("every worker holds every block: this is local SGD");
  }
  if (!config.run.resume.empty()) {
    spdlog::info("resuming after round {} of {}{}", trainer.position().round, trainer.length().total_rounds,
                 trainer.position().round == 0 ? ": no checkpoint had been written" : "");
  }
}

int report_non_finite(const NonFinite& event, const std::filesystem::path& path) {
  const auto rounds = checkpoint_rounds(path);
  spdlog::error(
      "round {} was dropped: worker {}'s {} not finite at iteration {}{}. {}. Try a lower --lr or a "
      "--lr-warmup-epochs",
      event.round, event.worker, event.in_loss ? "loss is" : "parameters are", event.iteration,
      event.parameter.empty() ? "" : fmt::format(" (parameter {})", event.parameter),
      rounds.empty() ? "No checkpoint had been written"
                     : fmt::format("The last good checkpoint is round {} in {}", rounds.back(), path.string()));
  return kExitFailed;
}

// Running statistics of the trained network, kept in the run folder, so that it can be exported.
std::optional<CalibrateReport> calibrate_trained(Trainer& trainer, const std::filesystem::path& path) {
  if (trainer.setup().config.evaluation.calibrate_samples == 0) {
    return std::nullopt;
  }
  if (trainer.communicator().rank() == 0) {
    spdlog::info("computing the norms' running statistics");
  }
  GlobalNetwork network = trainer.global_network();
  CalibrateReport report = calibrate_network(network, trainer.setup(), trainer.position().round,
                                             trainer.communicator().size(), /*choose_scale=*/false);
  on_worker_0(trainer.communicator(), [&] { write_calibration(path, report.calibration); });
  return report;
}

// Whether a run that has nothing left to train still lacks running statistics (it was ended while they were computed).
bool lacks_calibration(Communicator& communicator, const std::filesystem::path& path, std::int64_t round) {
  int lacks = 0;
  on_worker_0(communicator, [&] { lacks = has_checkpoints(path) && !read_calibration(path, round) ? 1 : 0; });
  return all_gather_value(communicator, lacks, kControlTag)[0] != 0;
}

// The signal that some worker was told to stop by; 0: none was.
int agreed_stop(Communicator& communicator, const std::atomic<int>& stop) {
  return std::ranges::max(all_gather_value(communicator, stop.load(), kControlTag));
}

int exit_code_of_stop(int signal) {
  return signal == SIGINT ? 128 + SIGINT : kExitRestart;
}

// One line of the table at the end.
std::string result_line(const std::string& set, double top1, double top5, const std::string& norms) {
  return fmt::format("{:24} {:>8.2f} {:>8.2f}  {}\n", set, 100 * top1, 100 * top5, norms);
}

void print_summary(std::ostream& out, const TrainingSetup& setup, const RoundRecord& record,
                   const std::optional<CalibrateReport>& calibrated, const std::filesystem::path& path) {
  out << fmt::format("{:.2f} epochs, {} rounds\n{:24} {:>8} {:>8}  norms\n", record.epoch, record.round, "", "top-1 %",
                     "top-5 %");
  const bool ensemble = setup.config.evaluation.inference == Inference::ensemble;
  const std::string by_batch = ensemble ? "batch statistics, ensemble of sub-networks" : "batch statistics";
  out << result_line(setup.data.held_out ? "held-out samples" : "test", record.accuracy.value(),
                     record.top5_accuracy.value(), by_batch);
  for (const FurtherResult& further : record.further) {
    out << result_line(further.name, further.accuracy, further.top5_accuracy, by_batch);
  }
  if (calibrated) {
    out << result_line("test", calibrated->test.top1, calibrated->test.top5,
                       fmt::format("running statistics of {} training samples", calibrated->calibration.samples));
  }
  out << fmt::format("next: resist evaluate {0}{1}\n", path.string(),
                     calibrated ? fmt::format(", resist export {}", path.string()) : "");
}

// What follows the last round, all workers together.
int end_training(Trainer& trainer, const RunObserver& observer, const TrainingResult& result, std::int64_t first_round,
                 const std::atomic<int>& stop, std::ostream& out) {
  const std::filesystem::path& path = observer.path();
  const bool speaks = trainer.communicator().rank() == 0;
  if (result.non_finite) {
    return speaks ? report_non_finite(*result.non_finite, path) : kExitFailed;
  }
  if (result.stop_signal != 0) {
    if (speaks) {
      spdlog::warn("stopped by signal {} after round {}; go on with: resist train --resume {}", result.stop_signal,
                   result.position.round, path.string());
    }
    return exit_code_of_stop(result.stop_signal);
  }
  if (result.too_few) {
    if (speaks) {
      spdlog::warn(
          "{} workers are left where --workers asks for {} at least; stopped after round {}; go on with: resist "
          "train --resume {}",
          trainer.communicator().size(), trainer.setup().config.cluster.workers.least, result.position.round,
          path.string());
    }
    return kExitRestart;
  }
  if (result.rendezvous_lost) {
    if (speaks) {
      spdlog::warn(
          "the rendezvous can't be reached any more, so nobody could be lost or join; stopped after round {}; start it "
          "again, and then all workers as before but with: resist train --resume {}",
          result.position.round, path.string());
    }
    return kExitRestart;
  }
  if (result.position.round == first_round) {
    if (speaks) {
      spdlog::info(
          "nothing is left to train: the run ended after round {}; give a larger --epochs or --rounds to go on",
          first_round);
    }
    if (lacks_calibration(trainer.communicator(), path, result.position.round)) {
      calibrate_trained(trainer, path);
    }
    return kExitDone;
  }
  const int stop_signal = agreed_stop(trainer.communicator(), stop);
  const auto calibrated = stop_signal == 0 ? calibrate_trained(trainer, path) : std::nullopt;
  if (speaks) {
    print_summary(out, trainer.setup(), observer.last_record(), calibrated, path);
  }
  if (stop_signal != 0) {
    if (speaks) {
      spdlog::warn("stopped by signal {} before the running statistics; to compute them: resist calibrate {}",
                   stop_signal, path.string());
    }
    return exit_code_of_stop(stop_signal);
  }
  return kExitDone;
}

// `first_round`: committed before.
int train_to_the_end(Trainer& trainer, RunObserver& observer, std::int64_t first_round, const std::atomic<int>& stop,
                     std::ostream& out) {
  while (true) {
    const TrainingResult result = trainer.run(observer);
    observer.finish();
    try {
      return end_training(trainer, observer, result, first_round, stop, out);
    } catch (const CommError& error) {
      if (!trainer.outlives_losses()) {
        throw;
      }
      trainer.recover(error);
    }
  }
}

}  // namespace

int train_session(const TrainingSetup& setup, Communicator& communicator, const std::atomic<int>& stop,
                  std::ostream& out, Membership* membership) {
  const Config& config = setup.config;
  compare_data(setup, communicator);
  const std::filesystem::path path = agreed_run_path(config, communicator);
  const bool resumes = !config.run.resume.empty();
  std::optional<RunFolder> folder;
  std::optional<Checkpoint> checkpoint;
  std::vector<std::int64_t> resume_position;  // none: the run had not come to its first checkpoint
  if (resumes) {
    on_worker_0(communicator, [&] {
      folder.emplace(RunFolder::open(path));
      check_run_data(path, setup.data);
      checkpoint = checkpoint_to_resume(path, config);
      if (checkpoint) {
        resume_position = to_numbers(position_of(checkpoint->state()));
      }
    });
    resume_position = all_gather_lists(communicator, resume_position, kControlTag)[0];
  }
  const bool from_checkpoint = !resume_position.empty();
  const TrainPosition start = from_checkpoint ? position_from_numbers(resume_position) : TrainPosition{};
  const BalanceState balance = from_checkpoint && setup.balance
                                   ? restore_balance(communicator, setup, checkpoint ? &checkpoint->state() : nullptr)
                                   : BalanceState{};
  Trainer trainer(setup, communicator, start, stop, membership, balance);
  if (from_checkpoint) {
    restore_checkpoint(trainer, checkpoint ? &*checkpoint : nullptr);
  }

  std::optional<RunOutput> output;
  double best = -1;
  on_worker_0(communicator, [&] {
    const std::string config_toml = to_toml(stored_config(config));
    if (!resumes) {
      folder.emplace(RunFolder::create(path, config_toml));
      write_run_data(path, setup.data);
    } else if (trainer.length().total_rounds > start.round) {
      remove_checkpoints_after(path, start.round);
      folder->go_on_after(start.round, config_toml);
    }
    if (trainer.length().total_rounds > start.round) {
      folder->append(StartRecord{
          .round = start.round, .workers = communicator.size(), .options = changeable_json(stored_config(config))});
    }
    const std::vector<RoundRecord> written = read_metrics(path);
    output.emplace(open_output(std::move(*folder), config, start.round, written, trainer.length(), out));
    best = best_accuracy(written);
    log_start(trainer, path, communicator.size());
  });
  best = all_gather_value(communicator, best, kControlTag)[0];

  RunObserver observer(config, std::move(output), path, best, out);
  return train_to_the_end(trainer, observer, start.round, stop, out);
}

int join_session(const TrainingSetup& setup, Generation generation, const std::atomic<int>& stop, std::ostream& out,
                 Membership& membership) {
  Trainer trainer(setup, std::move(generation), stop, membership);
  RunObserver observer(setup.config, out);
  return train_to_the_end(trainer, observer, -1, stop, out);
}

std::string data_digest(const TrainingSetup& setup) {
  return fmt::format("{} {} {}", setup.data.train->size(), setup.data.evaluation()->size(), digest_of(setup.data));
}

}  // namespace resist
