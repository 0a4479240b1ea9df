#include "resist/run/checkpointing.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "resist/checkpoint/parts.h"
#include "resist/comm/agreement.h"
#include "resist/comm/collectives.h"
#include "resist/comm/exchange.h"
#include "resist/comm/tags.h"
#include "resist/config/option.h"
#include "resist/config/resolve.h"
#include "resist/core/error.h"

// Saving and restoring walk the same sequence of parts.

namespace resist {
namespace {

std::vector<TensorSpec> tensors_of(const Layout& layout, const CheckpointPart& part) {
  std::vector<TensorSpec> tensors;
  for (const CheckpointGroup& group : part.groups) {
    for (const Parameter& parameter : parameters_of(layout, group)) {
      tensors.push_back({.name = parameter.name, .shape = parameter.shape});
    }
  }
  return tensors;
}

// This worker's memory of a group that it holds.
std::span<float> memory_of(Trainer& trainer, const CheckpointPart& part, const CheckpointGroup& group) {
  WorkerParameters& parameters = trainer.parameters();
  float* arena = part.source == PartSource::values     ? parameters.values()
                 : part.source == PartSource::momentum ? parameters.momentum()
                 : part.source == PartSource::residual ? trainer.residual()
                                                       : trainer.outer_momentum();
  std::int64_t offset = 0;
  const auto offsets = parameters.offsets();
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    if (parameters.held()[i] == group.block) {
      offset = offsets[i];
    }
  }
  return {arena + offset, static_cast<std::size_t>(size_of(parameters.layout(), group))};
}

// Worker 0's side of saving. After a failure it goes on taking what the others send, so that they don't hang, and
// reports at the end.
class Saver {
 public:
  Saver(const std::filesystem::path& run_dir, const CheckpointState& state) {
    guarded([&] { writer_.emplace(run_dir, state); });
  }

  void part(const CheckpointPart& part, const Layout& layout) {
    guarded([&] { part_ = &writer_->begin_part(part.name, tensors_of(layout, part)); });
  }
  void values(std::span<const float> values) {
    guarded([&] { part_->append(values); });
  }
  void end_part() {
    guarded([&] { writer_->finish_part(); });
  }
  void commit() {
    guarded([&] { writer_->commit(); });
    writer_.reset();  // removes what is unfinished
  }
  // Empty: none.
  const std::string& failure() const { return failure_; }

 private:
  void guarded(const std::function<void()>& action) {
    if (!failure_.empty()) {
      return;
    }
    try {
      action();
    } catch (const std::exception& error) {
      failure_ = error.what();
    }
  }

  std::optional<CheckpointWriter> writer_;
  SafetensorsWriter* part_ = nullptr;
  std::string failure_;
};

// As the manifest has them: a list for each worker.
std::vector<std::vector<double>> rounds_of(const std::vector<Pace>& paces) {
  std::vector<std::vector<double>> rounds;
  rounds.reserve(paces.size());
  for (const Pace& pace : paces) {
    rounds.emplace_back(pace.seconds.begin(), pace.seconds.begin() + pace.rounds);
  }
  return rounds;
}

CheckpointState state_of(const Trainer& trainer, int workers, std::optional<double> accuracy) {
  const TrainPosition& position = trainer.position();
  return {.round = position.round,
          .iteration = position.iteration,
          .samples = position.samples,
          .stream_position = position.stream_position,
          .returned_batches = position.returned_batches,
          .workers = workers,
          .block_scale = trainer.block_scale(),
          .hands = trainer.balance().hands,
          .paces = rounds_of(trainer.balance().paces),
          .accuracy = accuracy,
          .config = to_json(stored_config(trainer.setup().config))};
}

void send_group(Communicator& communicator, std::span<const float> values, int peer) {
  communicator.send(std::as_bytes(values), peer, kCheckpointTag)->wait();
}

// Whether the checkpoint has momentum and the like of as many workers as there are. A mean of checkpoints has none.
bool has_momentum(const Checkpoint& checkpoint, const Config& config, const Assignment& assignment) {
  if (checkpoint.state().workers != assignment.workers()) {
    return false;
  }
  const std::vector<CheckpointPart> all = checkpoint_parts(config, assignment, true);
  const auto own = all.begin() + std::ssize(checkpoint_parts(config, assignment, false));
  return std::any_of(own, all.end(), [&](const CheckpointPart& part) { return checkpoint.has_part(part.name); });
}

std::span<const float> receive_group(Communicator& communicator, std::vector<float>& buffer, std::int64_t size,
                                     int peer) {
  buffer.resize(static_cast<std::size_t>(size));
  communicator.receive(std::as_writable_bytes(std::span(buffer)), peer, kCheckpointTag)->wait();
  return buffer;
}

void read_group(SafetensorsReader& reader, const std::vector<Parameter>& parameters, std::span<float> values) {
  for (const Parameter& parameter : parameters) {
    reader.read(parameter.name,
                values.subspan(static_cast<std::size_t>(parameter.offset), static_cast<std::size_t>(parameter.size)));
  }
}

}  // namespace

std::int64_t read_block(const Checkpoint& checkpoint, const Layout& layout, int block, std::span<float> values) {
  SafetensorsReader reader = checkpoint.part("blocks");
  read_group(reader, layout.blocks[block].parameters, values);
  return checkpoint.state().round;
}

TrainPosition position_of(const CheckpointState& state) {
  return {.round = state.round,
          .iteration = state.iteration,
          .samples = state.samples,
          .stream_position = state.stream_position,
          .returned_batches = state.returned_batches};
}

BalanceState restore_balance(Communicator& communicator, const TrainingSetup& setup, const CheckpointState* state) {
  const auto workers = static_cast<std::size_t>(communicator.size());
  const std::size_t decks = setup.decks.size();
  BalanceState balance;
  on_worker_0(communicator, [&] {
    if (state == nullptr || state->paces.empty() || static_cast<std::size_t>(state->workers) != workers) {
      return;
    }
    balance.hands = state->hands;
    if (!balance.hands.empty()) {
      check_hands(setup.decks, balance.hands, dealing_rule(setup.config.partition));
    }
    for (const std::vector<double>& rounds : state->paces) {
      std::ranges::for_each(rounds, [&pace = balance.paces.emplace_back()](double seconds) { pace.add(seconds); });
    }
    if (balance.paces.size() != workers || (!balance.hands.empty() && balance.hands.size() != workers)) {
      throw InputError(
          fmt::format("the checkpoint of round {} names the blocks of {} workers and the speed of {}, but "
                      "is of {}",
                      state->round, balance.hands.size(), balance.paces.size(), workers));
    }
  });
  std::vector<int> flat;  // a list has no lists in it
  for (const std::vector<int>& hand : balance.hands) {
    flat.insert(flat.end(), hand.begin(), hand.end());
  }
  flat = all_gather_lists(communicator, flat, kControlTag)[0];
  balance.hands.clear();
  for (auto hand = flat.begin(); hand != flat.end(); hand += static_cast<std::ptrdiff_t>(decks)) {
    balance.hands.emplace_back(hand, hand + static_cast<std::ptrdiff_t>(decks));
  }
  balance.paces = all_gather_lists(communicator, balance.paces, kControlTag)[0];
  return balance;
}

void save_checkpoint(Trainer& trainer, const std::filesystem::path& run_dir, std::optional<double> accuracy) {
  Communicator& communicator = trainer.communicator();
  const Layout& layout = trainer.parameters().layout();
  std::optional<Saver> saver;
  if (communicator.rank() == 0) {
    saver.emplace(run_dir, state_of(trainer, communicator.size(), accuracy));
  }
  std::vector<float> buffer;
  for (const CheckpointPart& part :
       checkpoint_parts(trainer.setup().config, trainer.parameters().placement().assignment, true)) {
    if (saver) {
      saver->part(part, layout);
    }
    for (const CheckpointGroup& group : part.groups) {
      const int holder = group.holders.front();
      if (saver && holder == 0) {
        saver->values(memory_of(trainer, part, group));
      } else if (saver) {
        saver->values(receive_group(communicator, buffer, size_of(layout, group), holder));
      } else if (communicator.rank() == holder) {
        send_group(communicator, memory_of(trainer, part, group), 0);
      }
    }
    if (saver) {
      saver->end_part();
    }
  }
  if (saver) {
    saver->commit();
  }
  const bool own_failed = saver && !saver->failure().empty();
  if (all_gather_value(communicator, own_failed ? 1 : 0, kControlTag)[0] != 0) {
    throw CheckpointFailed(own_failed ? saver->failure() : "worker 0 could not write the checkpoint");
  }
}

void restore_checkpoint(Trainer& trainer, const Checkpoint* checkpoint) {
  Communicator& communicator = trainer.communicator();
  const std::vector<double> scale = checkpoint != nullptr ? checkpoint->state().block_scale : std::vector<double>();
  trainer.set_block_scale(all_gather_lists(communicator, scale, kControlTag)[0]);
  const Layout& layout = trainer.parameters().layout();
  const Config& config = trainer.setup().config;
  const Assignment& assignment = trainer.parameters().placement().assignment;
  const int has = checkpoint != nullptr && has_momentum(*checkpoint, config, assignment) ? 1 : 0;
  const bool with_momentum = all_gather_value(communicator, has, kControlTag)[0] != 0;
  std::vector<float> buffer;
  for (const CheckpointPart& part : checkpoint_parts(config, assignment, with_momentum)) {
    std::optional<SafetensorsReader> reader;
    if (checkpoint != nullptr) {
      reader.emplace(checkpoint->part(part.name));
    }
    for (const CheckpointGroup& group : part.groups) {
      if (reader) {
        buffer.resize(static_cast<std::size_t>(size_of(layout, group)));
        read_group(*reader, parameters_of(layout, group), buffer);
      }
      for (const int holder : group.holders) {
        if (reader && holder == 0) {
          std::ranges::copy(buffer, memory_of(trainer, part, group).begin());
        } else if (reader) {
          send_group(communicator, buffer, holder);
        } else if (communicator.rank() == holder) {
          const auto memory = memory_of(trainer, part, group);
          communicator.receive(std::as_writable_bytes(memory), 0, kCheckpointTag)->wait();
        }
      }
    }
  }
}

}  // namespace resist
