#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include "resist/checkpoint/checkpoint.h"
#include "resist/core/error.h"
#include "resist/train/trainer.h"

namespace resist {

// A checkpoint could not be written. The training is as it was, and may go on.
class CheckpointFailed : public Error {
 public:
  using Error::Error;
};

// Writes the state of a committed round to the run folder on worker 0's machine: the shared parameters, every
// partitioned block from its first holder, momentum as its kind needs. Other workers stream theirs to worker 0, a
// block at a time. Every worker calls it; when worker 0 can't write, all throw CheckpointFailed (worker 0's names the
// file), nothing of it is left, and earlier checkpoints stay.
void save_checkpoint(Trainer& trainer, const std::filesystem::path& run_dir, std::optional<double> accuracy);

// Fills every worker's parameters, and where S is the same its momentum, from a checkpoint that worker 0 has open
// (null on the others). With another S momentum starts at zero, and so it does from a mean of checkpoints, which has
// none.
void restore_checkpoint(Trainer& trainer, const Checkpoint* checkpoint);

// Reads one block's parameters from a checkpoint; returns its round. InputError where it is damaged or another
// network's.
std::int64_t read_block(const Checkpoint& checkpoint, const Layout& layout, int block, std::span<float> values);

// What a trainer is made of.
TrainPosition position_of(const CheckpointState& state);
// How the blocks of the next round are dealt, told to all workers by worker 0, which alone has the state (null on the
// others). Empty where the state is of another number of workers. InputError on all of them where it can't be.
BalanceState restore_balance(Communicator& communicator, const TrainingSetup& setup, const CheckpointState* state);

}  // namespace resist
