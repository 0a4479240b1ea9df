#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "resist/comm/communicator.h"
#include "resist/comm/membership.h"
#include "resist/core/clock.h"
#include "resist/data/loader.h"
#include "resist/partition/schedule.h"
#include "resist/sync/mending.h"
#include "resist/telemetry/history.h"
#include "resist/telemetry/round_record.h"
#include "resist/train/global_network.h"
#include "resist/train/local_step.h"
#include "resist/train/round_sync.h"
#include "resist/train/training_setup.h"
#include "resist/train/worker_parameters.h"

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
  int stop_signal = 0;           // the signal that some worker was told to stop by
  bool too_few = false;          // fewer workers are left than the job asks for
  bool rendezvous_lost = false;  // by every worker
};

// What workers tell each other about a round (train/standing.h).
struct LocalRound;
struct Report;
struct Standing;

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
  // Where a worker is lost meanwhile, the others are called once more for the same round.
  virtual void round_committed(Trainer& /*trainer*/, const RoundRecord& /*record*/, bool /*last*/) {}
  // The workers have changed, and what was under way is mended; the ranks are other ones now.
  virtual void generation_began(Trainer& /*trainer*/, const GenerationRecord& /*record*/) {}
  // Worker 0 alone: a block was lost with all its copies; fills it from the newest checkpoint, and returns that one's
  // round. Nothing: there is none, and the block starts from its initial values again.
  virtual std::optional<std::int64_t> restore_block(Trainer& /*trainer*/, int /*block*/, std::span<float> /*values*/) {
    return std::nullopt;
  }
};

// One worker's training: the loop that every method shares. Config -> assignment -> local iterations ->
// synchronisation -> evaluation -> observers, round by round (docs/architecture.md walks through it).
//
// With a membership it goes on when other workers are lost: a communication that fails is followed by the next
// generation, in which what was under way is finished from what everybody left still has (docs/reliability.md).
class Trainer {
 public:
  // `stop`: a signal number that a handler may set at any time, 0 before. `membership`: null: a lost worker is a
  // CommError. `balance`: how the blocks of the next round are dealt (TrainingSetup::balance). All references but that
  // must outlive the trainer.
  Trainer(const TrainingSetup& setup, Communicator& communicator, TrainPosition position, const std::atomic<int>& stop,
          Membership* membership = nullptr, const BalanceState& balance = {});
  // Joins a training that is under way, in a generation that this worker has just come into. It gets what it needs from
  // the others when it runs.
  Trainer(const TrainingSetup& setup, Generation generation, const std::atomic<int>& stop, Membership& membership);
  ~Trainer();

  const TrainingSetup& setup() const { return setup_; }
  // Of this generation.
  Communicator& communicator() { return *communicator_; }
  const Generation& generation() const { return generation_; }
  // What this worker is called, whatever its rank is.
  int identity() const { return identity_; }
  WorkerParameters& parameters() { return *parameters_; }
  const TrainPosition& position() const { return position_; }
  const TrainLength& length() const { return length_; }
  // What compression left over of this worker's shared parameters (RoundSync::residual); null without --compress.
  float* residual() { return sync_->residual(); }
  // What each worker gave to the last committed round. Workers that joined since know of none.
  const CommitRecord& last_commit() const { return last_commit_; }
  // Momentum of the agreed parameters (RoundSync::outer_momentum); null without it.
  float* outer_momentum() { return sync_->outer_momentum(); }
  // Evaluation scale per deck of the network as it is now.
  const std::vector<double>& block_scale() const { return block_scale_; }
  // Where it comes from a checkpoint: of the round that it is of.
  void set_block_scale(std::vector<double> scale) { block_scale_ = std::move(scale); }

  // How the blocks of the next round are dealt, and why. Empty without TrainingSetup::balance.
  const BalanceState& balance() const { return balance_; }

  // The trained network as it is now; it reads this trainer's parameters, so no round may follow while it is in use.
  // All workers make one together.
  GlobalNetwork global_network();

  // Trains to the end of the length, to a non-finite round, or to the round in which some worker was told to stop.
  // Without a membership, a worker that is lost is a CommError; LeftOut where the others go on without this one.
  TrainingResult run(TrainingObserver& observer);

  bool outlives_losses() const { return membership_ != nullptr; }
  // After a CommError outside run(): into the next generation. run() then mends what has to be mended.
  void recover(const CommError& error);

 private:
  struct Staged;  // a commit that is prepared

  bool full_depth_at(const TrainPosition& position) const;
  // The method as it deals there.
  std::unique_ptr<TrainingMethod> method_at(const TrainPosition& position, int workers, const Hands& hands = {}) const;
  std::vector<double> scale_at(const TrainPosition& position) const;
  Placement placement_at(const TrainPosition& position, const Hands& hands) const;
  void run_local_iterations(TrainingObserver& observer);
  // These two measure by `watch` since its last lap. False: the loss is not finite, and the round can't be kept.
  bool run_iteration(TrainingObserver& observer, Stopwatch& watch);
  void land(Stopwatch& watch);  // an average that is under way
  void call_next_generation(const CommError& error);
  std::vector<int> passed_by() const;  // the blocks that stochastic depth leaves out of the next iteration
  void check_finite();
  // Ends the round: where everybody is, synchronisation, commit, report. The result if the training ends with it.
  std::optional<TrainingResult> end_round(TrainingObserver& observer);
  std::vector<Standing> agree_on_commits();
  BatchSchedule schedule_of_round(const std::vector<Standing>& standings) const;
  std::vector<std::int64_t> iterations_kept(const std::vector<Standing>& standings) const;
  TrainPosition position_after(const std::vector<Standing>& standings) const;
  CommitRecord contributions(const TrainPosition& after, const std::vector<Standing>& standings) const;
  void adopt(const std::vector<Standing>& standings);
  // `in_full`: nothing may be left under way (--overlap).
  Payload stage(const TrainPosition& after, const std::vector<Standing>& standings, bool in_full);
  // What a commit changes besides parameters. Returns where these are to lie after it.
  Placement begin_staging(const TrainPosition& after, const std::vector<Standing>& standings);
  BalanceState next_balance(const TrainPosition& after, const std::vector<Standing>& standings) const;
  Pace pace_now() const;  // the round under way included
  void commit();
  void report(TrainingObserver& observer, bool last);
  RoundRecord gather_record();
  // After a loss.
  void enter(Generation generation);
  Mending agree_on_sources(const std::vector<Standing>& standings);
  Payload stage_mended(const TrainPosition& after, const std::vector<Standing>& standings, TrainingObserver& observer);
  void settle(TrainingObserver& observer);
  void evaluate_into(RoundRecord& record);
  bool evaluation_due(const TrainPosition& position) const;
  void load_from_here();                   // batches, for the workers that there are now
  void note(std::string_view step) const;  // failpoint() of the round under way

  const TrainingSetup& setup_;
  Communicator* communicator_;
  const std::atomic<int>& stop_;
  Membership* membership_;
  int identity_;
  Generation generation_;  // its communicator from the first loss on
  // Of a generation that has just begun: what was under way is finished before anybody trains on.
  std::unique_ptr<GenerationRecord> mending_;
  bool told_ = false;  // the observer has heard of it
  Stopwatch noticed_;
  std::unique_ptr<TrainingMethod> method_;
  TrainPosition position_;
  TrainLength length_;
  std::unique_ptr<WorkerParameters> parameters_;
  std::unique_ptr<LocalStep> step_;
  std::unique_ptr<RoundSync> sync_;
  Pace pace_;             // this worker's, up to the last commit; this and the next with TrainingSetup::balance
  BalanceState balance_;  // as of the last commit
  std::vector<double> block_scale_;      // of the round that the parameters come from
  std::vector<double> scale_under_way_;  // of the one that trains on them
  BatchSchedule batches_;
  std::unique_ptr<TrainLoader> loader_;
  std::vector<TestBatches> test_batches_;  // the one that the run is judged by, then the further ones
  std::unique_ptr<LocalRound> local_;      // since the last commit; no iterations: nothing yet
  std::unique_ptr<Report> last_round_;     // this worker's, of the last committed round
  std::unique_ptr<Staged> staged_;         // null: nothing is
  std::int64_t commits_ = 0;
  std::vector<int> placed_;  // the members that the blocks were dealt to at the last commit
  CommitRecord last_commit_;
  bool joins_ = false;     // has nothing before its first commit
  int stop_signal_ = 0;    // that the workers agreed to stop by
  std::int64_t reported_;  // the last round that the observer was told of
};

}  // namespace resist
