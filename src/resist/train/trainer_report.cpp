#include <exception>
#include <span>

#include "resist/comm/agreement.h"
#include "resist/comm/collectives.h"
#include "resist/comm/tags.h"
#include "resist/core/clock.h"
#include "resist/core/error.h"
#include "resist/core/failpoint.h"
#include "resist/train/standing.h"
#include "resist/train/trainer.h"
#include "resist/train/travelling_blocks.h"

// The trainer's part after a commit: what the round came to, and an evaluation of the whole network where one is due.

namespace resist {

void Trainer::report(TrainingObserver& observer, bool last) {
  RoundRecord record = gather_record();
  std::exception_ptr failure;
  if (evaluation_due(position_)) {
    try {
      evaluate_into(record);
    } catch (const InputError&) {  // a test picture; all workers throw here
      failure = std::current_exception();
    } catch (const PeerFailed&) {
      failure = std::current_exception();
    }
    failpoint("evaluated", identity_, position_.round);
  }
  observer.round_committed(*this, record, last || failure != nullptr);
  if (failure) {
    std::rethrow_exception(failure);
  }
  reported_ = position_.round;
  failpoint("reported", identity_, position_.round);
}

RoundRecord Trainer::gather_record() {
  const auto reports = all_gather_value(*communicator_, *last_round_, kControlTag);
  RoundRecord record = merge_reports(reports);
  record.round = position_.round;
  record.samples = position_.samples;
  record.epoch = static_cast<double>(position_.samples) / static_cast<double>(setup_.data.train->size());
  if (setup_.balance) {
    record.worker_blocks = blocks_held(reports, setup_.decks.size());
    record.next_blocks = balance_.hands;
  }
  return record;
}

bool Trainer::evaluation_due(const TrainPosition& position) const {
  return resist::evaluation_due(setup_.config.evaluation, position.round, length_.total_rounds);
}

GlobalNetwork Trainer::global_network() {
  return {*communicator_,
          setup_,
          {parameters_->values(), static_cast<std::size_t>(setup_.layout.shared_size)},
          std::make_unique<TravellingBlocks>(*communicator_, *parameters_),
          block_scale_,
          make_ensemble(setup_.config, *method_at(position_, communicator_->size(), balance_.hands), position_.round,
                        full_depth_at(position_))};
}

void Trainer::evaluate_into(RoundRecord& record) {
  const Stopwatch watch;
  GlobalNetwork network = global_network();
  const EvaluationResult result = network.evaluate(test_batches_.front().batches);
  record.accuracy = result.top1;
  record.top5_accuracy = result.top5;
  record.test_loss = result.loss;
  record.eval_batch_size = setup_.config.evaluation.eval_batch_size;
  record.eval_permutation_seed = EvaluationBatches::kPermutationSeed;
  for (const TestBatches& further : std::span(test_batches_).subspan(1)) {
    const EvaluationResult on = network.evaluate(further.batches);
    record.further.push_back({.name = further.name,
                              .samples = on.samples,
                              .accuracy = on.top1,
                              .top5_accuracy = on.top5,
                              .test_loss = on.loss});
  }
  record.seconds_evaluation = watch.seconds();
}

}  // namespace resist
