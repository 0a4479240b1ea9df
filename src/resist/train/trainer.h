#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "resist/comm/communicator.h"
#include "resist/data/loader.h"
#include "resist/partition/schedule.h"
#include "resist/telemetry/round_record.h"
#include "resist/train/global_network.h"
#include "resist/train/round_sync.h"
#include "resist/train/training_setup.h"
#include "resist/train/worker_parameters.h"

namespace at {
class Tensor;
}

namespace resist {

// Why training ended before its length.
struct NonFinite {
  int worker;
  std::int64_t round;      // the one that was dropped
  std::int64_t iteration;  // of that worker since the start
  bool in_loss;            // in that iteration's loss; otherwise in the parameters after it
  std::string parameter;   // the worker's first parameter that is not finite; empty: none
};

struct TrainingResult {
  TrainPosition position;
  std::optional<NonFinite> non_finite;
  int stop_signal = 0;  // the signal that some worker was told to stop by
};

class Trainer;

// What a run does with a training: writes metrics, checkpoints, recordings. Called on every worker, in the same order;
// may communicate through the trainer's communicator, as long as every worker does.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  virtual void round_starts(Trainer& /*trainer*/) {}
  virtual void batch_used(Trainer& /*trainer*/, const Batch& /*batch*/, double /*learning_rate*/) {}
  // Whether round_committed() of this round (1-based) will look at the shared parameters: with --overlap they are the
  // same on all workers only where somebody asks for it.
  virtual bool needs_agreement(std::int64_t /*round*/) const { return false; }
  // After the commit; parameters are placed for the next round. `last`: the run ends here, complete or told to stop.
  virtual void round_committed(Trainer& /*trainer*/, const RoundRecord& /*record*/, bool /*last*/) {}
};

// One worker's training: the loop that every method shares. Config -> assignment -> local iterations ->
// synchronisation -> evaluation -> observers, round by round (docs/architecture.md walks through it).
class Trainer {
 public:
  // `stop`: a signal number that a handler may set at any time, 0 before. All references must outlive the trainer.
  Trainer(const TrainingSetup& setup, Communicator& communicator, TrainPosition position, const std::atomic<int>& stop);
  ~Trainer();

  const TrainingSetup& setup() const { return setup_; }
  Communicator& communicator() { return communicator_; }
  WorkerParameters& parameters() { return *parameters_; }
  const TrainPosition& position() const { return position_; }
  const TrainLength& length() const { return length_; }
  // What compression left over of this worker's shared parameters (RoundSync::residual); null without --compress.
  float* residual() { return sync_->residual(); }
  // Evaluation scale per deck of the network as it is now.
  std::vector<double> block_scale() const;

  // The trained network as it is now; it reads this trainer's parameters, so no round may follow while it is in use.
  // All workers make one together.
  GlobalNetwork global_network();

  // Trains to the end of the length, to a non-finite round, or to the round in which some worker was told to stop.
  TrainingResult run(TrainingObserver& observer);

 private:
  struct LocalRound;  // what this worker has to say after its local iterations
  struct Synced;      // and after the commit

  Placement placement_at(const TrainPosition& position) const;
  LocalRound run_local_iterations(TrainingObserver& observer);
  at::Tensor forward(const Batch& batch);  // the batch's loss
  void step_parameter(const WorkerParameters::Place& place, const float* gradient, double rate);
  void check_finite(LocalRound& local);
  // `in_full`: nothing may be left under way (--overlap).
  Synced synchronise_round(const TrainPosition& after, bool in_full);
  void evaluate_into(RoundRecord& record);
  bool evaluation_due(const TrainPosition& position) const;

  const TrainingSetup& setup_;
  Communicator& communicator_;
  const std::atomic<int>& stop_;
  std::unique_ptr<TrainingMethod> method_;
  TrainPosition position_;
  TrainLength length_;
  std::unique_ptr<WorkerParameters> parameters_;
  std::unique_ptr<RoundSync> sync_;
  bool trained_in_warmup_;  // whether the parameters come from a round of the warm-up
  TrainLoader loader_;
  std::vector<TestBatches> test_batches_;  // the one that the run is judged by, then the further ones
};

}  // namespace resist
