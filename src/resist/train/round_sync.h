#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "resist/comm/communicator.h"
#include "resist/sync/synchronise.h"
#include "resist/train/training_setup.h"
#include "resist/train/worker_parameters.h"

namespace resist {

// One worker's synchronisations, from round to round: aggregates and repartitions, and keeps what has to last between
// two of them (docs/algorithm.md): the agreed parameters and the residual with --compress, and with --overlap the
// average that is under way while the next round trains. In a thread of its own then, with the round's tag.
class RoundSync {
 public:
  // All references must outlive it.
  RoundSync(const TrainingSetup& setup, Communicator& communicator, WorkerParameters& parameters);
  ~RoundSync();  // waits for an average under way

  // The parameters are the same on all workers now: at the start, after a restore.
  void agree();

  // Sends the average that the last round left behind on its way, if there is one. Called when nothing else is to be
  // said before land(): its bytes would hold up every other message.
  void set_out();

  // Takes in the average that is under way, if there is one: x := x + (mean - x_sent). CommError as exchange().
  // Returns what it sent and received, and nothing where none is under way.
  Payload land();

  // Ends round `round` (0-based): parameters become those of `next`, staged first, committed together. `in_full`: so do
  // the shared ones; otherwise, with --overlap, their average waits for set_out() and lands later.
  // Returns what was sent and received, without such an average.
  Payload synchronise(const Placement& next, std::int64_t round, bool in_full);

  // What rounding left over of this worker's shared parameters, laid out as the shared part of an arena; null without
  // --compress. Belongs to the training's state: checkpoints keep it.
  float* residual() { return residual_.empty() ? nullptr : residual_.data(); }

 private:
  SharedMemory shared_memory() { return {.agreed = agreed_.data(), .residual = residual()}; }
  std::uint64_t rounding_key(std::int64_t round, SyncScope scope) const;

  const TrainingSetup& setup_;
  Communicator& communicator_;
  WorkerParameters& parameters_;
  std::vector<float> agreed_;  // these two with --compress
  std::vector<float> residual_;
  std::vector<float> sent_;  // and these with --overlap
  std::vector<float> mean_;
  SyncPlan average_;
  std::int64_t due_ = -1;  // the round whose average is to set out; -1: none
  std::thread under_way_;
  std::exception_ptr failure_;  // these two of the thread
  Payload landed_;
};

}  // namespace resist
