#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "resist/comm/communicator.h"
#include "resist/sync/mending.h"
#include "resist/sync/synchronise.h"
#include "resist/train/training_setup.h"
#include "resist/train/worker_parameters.h"

namespace resist {

// A block's values, kept for whoever holds it.
using BlockCopies = std::map<int, std::vector<float>>;

// One worker's synchronisations, from round to round: aggregates and repartitions, and keeps what has to last between
// two of them (docs/algorithm.md): the agreed parameters and the residual with --compress, the agreed parameters and
// their momentum with --outer-momentum, with --overlap the average that is under way while the next round trains, with
// --protect copies of blocks that another worker holds. The average under way has a thread of its own, and its round's
// tag.
class RoundSync {
 public:
  // All references must outlive it; the communicator until enter().
  RoundSync(const TrainingSetup& setup, Communicator& communicator, WorkerParameters& parameters);
  ~RoundSync();  // waits for an average under way

  // The parameters are the same on all workers now: at the start, after a restore.
  void agree();

  // Goes over to the communicator of other workers. An average that was under way is given up, and so is what rounding
  // left over, and outer momentum: they belonged to a mean over the workers before.
  void enter(Communicator& communicator);

  // Sends the average that the last round left behind on its way, if there is one. Called when nothing else is to be
  // said before land(): its bytes would hold up every other message.
  void set_out();
  // Whether there is one for land() to take in.
  bool under_way() const { return under_way_.joinable(); }

  // Takes in the average that is under way, if there is one: x := x + (mean - x_sent), where with an outer step what
  // follows the mean stands for it. CommError as exchange().
  // Returns what it sent and received, and nothing where none is under way.
  Payload land();

  // Stages the end of round `round` (0-based): what `now` holds becomes what `next` says. `samples`: that each worker
  // trained on, which its values count by. `in_full`: the shared parameters too; otherwise, with --overlap, their
  // average waits for set_out() and lands later. Returns what was sent and received, without such an average. Live
  // parameters stay as they are until commit(). What was agreed on and the outer momentum change at once: where
  // commit() does not follow, enter() and a stage after a change of the workers must.
  Payload stage(const Placement& next, std::int64_t round, const std::vector<std::int64_t>& samples, bool in_full);

  // The same after a change of the workers. Exact whatever --compress says, since they remember different things. Lost
  // blocks must have been restored().
  Payload stage(const Placement& next, std::int64_t round, const Mending& mending);

  // What was staged becomes live.
  void commit();

  // Who keeps a copy of each block, by rank in the placement (SyncPlan::keepers).
  const std::vector<int>& keepers() const { return keepers_; }
  // Memory for a block that all have lost, as if it were a copy; the caller fills it.
  std::span<float> restored(int block);

  // What rounding left over of this worker's shared parameters, laid out as the shared part of an arena; null without
  // --compress. Belongs to the training's state: checkpoints keep it.
  float* residual() { return residual_.empty() ? nullptr : residual_.data(); }

  // The momentum that the agreed parameters move with from synchronisation to synchronisation, the same on all workers;
  // null without --outer-momentum and --outer-lr. Laid out as an arena: of the shared part, and where no block is dealt
  // out of all of it. Belongs to the training's state too.
  float* outer_momentum() { return outer_momentum_.empty() ? nullptr : outer_momentum_.data(); }

 private:
  SharedMemory shared_memory() { return {.agreed = agreed_.data(), .residual = residual()}; }
  std::uint64_t rounding_key(std::int64_t round, SyncScope scope) const;
  const float* copy(int block) const;  // null: none
  void stage_copies(const SyncPlan& plan, std::vector<GroupMemory>& memory);
  void keep_for_commit(const Placement& next, std::int64_t due);
  void agree_on(float* mean, std::int64_t first, std::int64_t count);
  void plan_average(const std::vector<std::int64_t>& samples);

  const TrainingSetup& setup_;
  Communicator* communicator_;
  WorkerParameters& parameters_;
  std::vector<float> agreed_;    // with --compress or an outer step, as long as what needs it
  std::vector<float> residual_;  // with --compress
  std::vector<float> outer_momentum_;
  std::vector<float> sent_;  // and these with --overlap
  std::vector<float> mean_;
  SyncPlan average_;
  std::vector<std::int64_t> average_samples_;  // that it counts by
  std::int64_t due_ = -1;                      // the round whose average is to set out; -1: none
  std::thread under_way_;
  std::exception_ptr failure_;  // these two of the thread
  Payload landed_;
  // Of the last commit.
  BlockCopies copies_;
  std::vector<int> keepers_;
  // Of what is staged.
  std::unique_ptr<Placement> next_;
  int next_rank_ = -1;
  BlockCopies next_copies_;
  std::vector<int> next_keepers_;
  std::int64_t next_due_ = -1;
};

}  // namespace resist
