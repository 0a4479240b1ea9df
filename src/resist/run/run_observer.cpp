#include "resist/run/run_observer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "resist/checkpoint/checkpoint.h"
#include "resist/comm/agreement.h"
#include "resist/comm/collectives.h"
#include "resist/comm/tags.h"
#include "resist/config/resolve.h"
#include "resist/config/toml_file.h"
#include "resist/core/counted.h"
#include "resist/core/error.h"
#include "resist/core/hash.h"
#include "resist/core/log.h"
#include "resist/partition/schedule.h"
#include "resist/run/checkpointing.h"

namespace resist {

RunOutput open_output(RunFolder folder, const Config& config, std::int64_t round,
                      const std::vector<RoundRecord>& written, const TrainLength& length, std::ostream& out) {
  log_to_file(folder.path() / "resist.log");
  std::optional<EventWriter> events;
  if (length.total_rounds > round) {
    cut_events(folder.path(), round);
    if (writes_events(config)) {
      events.emplace(folder.path(), round, to_toml(stored_config(config)));
    }
  }
  ProgressOptions options = detect_terminal(STDOUT_FILENO);
  options.total_rounds = length.total_rounds;
  options.total_samples = length.total_samples;
  for (const RoundRecord& record : written) {
    options.bytes_before += record.bytes_sent;
  }
  return {.folder = std::move(folder), .progress = Progress(out, options), .events = std::move(events)};
}

RunObserver::RunObserver(const Config& config, std::optional<RunOutput> output, const std::filesystem::path& path,
                         double best_accuracy, std::ostream& out)
    : config_(config), output_(std::move(output)), path_(path), best_accuracy_(best_accuracy), out_(out) {
  if (config.run.record_round > 0) {
    recorder_.emplace(path, config.run.record_round);
  }
}

RunObserver::RunObserver(const Config& config, std::ostream& out) : RunObserver(config, std::nullopt, {}, -1, out) {
}

void RunObserver::round_starts(Trainer& trainer) {
  if (output_ && output_->events) {
    // When the round is committed, everything is placed for the next one.
    assignment_ = trainer.parameters().placement().assignment;
  }
  if (recorder_) {
    recorder_->round_starts(trainer);
  }
}

void RunObserver::batch_used(Trainer& trainer, const Batch& batch, double learning_rate) {
  if (recorder_) {
    recorder_->batch_used(trainer, batch, learning_rate);
  }
}

bool RunObserver::needs_agreement(std::int64_t round) const {
  return checkpoint_due(config_.run, round) || round == config_.run.record_round ||
         round + 1 == config_.run.record_round;
}

void RunObserver::round_committed(Trainer& trainer, const RoundRecord& record, bool last) {
  if (recorder_) {
    recorder_->round_committed(trainer);
  }
  on_worker_0(trainer.communicator(), [&] {
    if (record.round > written_) {
      output_->folder.append(commit_of(trainer));
      output_->folder.append(record);
      if (output_->events) {
        add_events(trainer, record);
      }
      output_->progress.show(record);
      written_ = record.round;
      tell_of_balance(record);
    }
  });
  journal_.note(trainer);
  if (record.round != compared_round_) {
    best_before_ = best_accuracy_;
    compared_round_ = record.round;
  }
  // Where this round is told of once more, some workers have counted it already.
  const bool best = record.accuracy.value_or(-1) > best_before_;
  best_accuracy_ = best ? *record.accuracy : best_before_;
  if (last || best || checkpoint_due(config_.run, record.round)) {
    save(trainer, record, last);
  }
  if (last) {
    on_worker_0(trainer.communicator(), [&] { output_->folder.write_waiting(); });
  }
  last_record_ = record;
}

void RunObserver::generation_began(Trainer& trainer, const GenerationRecord& record) {
  journal_.note(trainer);
  tell_who_joined(trainer.communicator());
  on_worker_0(trainer.communicator(), [&] {
    if (!output_) {
      take_over(trainer);
    }
    output_->progress.set_length(trainer.length().total_rounds, trainer.length().total_samples);
    output_->folder.append(record);
    for (const GenerationRecord::LostBlock& lost : record.lost_blocks) {
      spdlog::warn("block {} was lost with all its copies, and with it {} rounds of its training", lost.block,
                   lost.rounds);
    }
    spdlog::info("going on with {} after round {}{}{}", counted(std::ssize(record.members), "worker"),
                 trainer.position().round,
                 record.lost.empty() ? "" : fmt::format(", {:.1f} s after the loss was noticed", record.seconds),
                 record.round_kept ? "; the local iterations of the others were kept" : "");
  });
}

std::optional<std::int64_t> RunObserver::restore_block(Trainer& trainer, int block, std::span<float> values) {
  if (!has_checkpoints(path_)) {
    return std::nullopt;
  }
  try {
    return read_block(open_checkpoint(path_, "last"), trainer.setup().layout, block, values);
  } catch (const InputError& error) {
    spdlog::warn("no checkpoint can be read: {}", error.what());
    return std::nullopt;
  }
}

void RunObserver::finish() {
  if (!output_) {
    return;
  }
  output_->progress.finish();
  // Of a training that ended before its last round was reported; there the run ends with an error where it can't be.
  try {
    output_->folder.write_waiting();
  } catch (const Error& error) {
    spdlog::error("{}", error.what());
  }
}

CommitRecord RunObserver::commit_of(Trainer& trainer) const {
  CommitRecord commit = trainer.last_commit();
  if (shared_always_agree(config_.sync)) {
    const auto size = static_cast<std::size_t>(trainer.parameters().layout().shared_size);
    commit.shared = hash_values({trainer.parameters().values(), size});
  }
  return commit;
}

// Whoever was there before tells the others; who joined in a generation that came to nothing has not heard yet either.
void RunObserver::tell_who_joined(Communicator& communicator) {
  struct Told {
    std::array<char, kLongestRunPath> path{};
    double best_accuracy = 0;
    double best_before = 0;
    std::int64_t compared_round = 0;
  };
  Told own{.best_accuracy = best_accuracy_, .best_before = best_before_, .compared_round = compared_round_};
  path_.string().copy(own.path.data(), own.path.size() - 1);
  const auto all = all_gather_value(communicator, own, kControlTag);
  const auto told = std::ranges::find_if(all, [](const Told& one) { return one.path[0] != 0; });
  if (told == all.end()) {
    throw Error("everybody who knew the run's folder is lost; resume the run");
  }
  path_ = told->path.data();
  best_accuracy_ = told->best_accuracy;
  best_before_ = told->best_before;
  compared_round_ = told->compared_round;
}

// The worker that wrote the run is lost.
void RunObserver::take_over(Trainer& trainer) {
  RunFolder folder = RunFolder::take_over(path_);
  folder.go_on_after(trainer.position().round, to_toml(stored_config(config_)));
  const auto written = read_metrics(path_);
  written_ = written.empty() ? 0 : written.back().round;
  output_.emplace(open_output(std::move(folder), config_, written_, written, trainer.length(), out_));
  spdlog::info("worker {} writes the run from now on", trainer.identity());
}

void RunObserver::tell_of_balance(const RoundRecord& record) const {
  // The first ones are equal, or those of the checkpoint that a run goes on from.
  if (!last_record_.next_blocks || !record.next_blocks || record.next_blocks->empty() ||
      *record.next_blocks == *last_record_.next_blocks) {
    return;
  }
  std::vector<std::string> hands;
  hands.reserve(record.next_blocks->size());
  for (const std::vector<int>& hand : *record.next_blocks) {
    hands.push_back(fmt::format("{}", fmt::join(hand, "+")));
  }
  spdlog::info("from round {} on the workers hold {} blocks: they are that fast", record.round + 1,
               fmt::join(hands, ", "));
}

// The assignment of the first round and of every evaluated one: a picture a round would be too many.
void RunObserver::add_events(const Trainer& trainer, const RoundRecord& record) {
  output_->events->add(record);
  const bool first = last_record_.round == 0;
  if (assignment_ && (first || record.accuracy)) {
    output_->events->add_assignment(record.round, *assignment_, trainer.setup().decks);
  }
}

// A disk may be full for a while; only what is left of a training when it ends must be written.
void RunObserver::save(Trainer& trainer, const RoundRecord& record, bool last) {
  try {
    save_checkpoint(trainer, path_, record.accuracy);
  } catch (const CheckpointFailed& failure) {
    if (last) {
      throw;
    }
    if (output_) {
      spdlog::warn("round {} is not saved: {}; training goes on, and earlier checkpoints are still there", record.round,
                   failure.what());
    }
    return;
  }
  if (output_) {
    prune_checkpoints(path_, config_.run.keep_checkpoints);
  }
}

}  // namespace resist
