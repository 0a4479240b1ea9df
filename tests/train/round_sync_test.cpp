#include "resist/train/round_sync.h"

#include <gtest/gtest.h>

#include <vector>

#include "resist/partition/training_method.h"
#include "support/training.h"

namespace resist {
namespace {

constexpr int kWorkers = 2;
constexpr double kOuterRate = 0.5;

// One worker's parameters and synchronisations, where every worker holds every block. What training does is that all
// values move by as much as the test says.
class Moved {
 public:
  Moved(const TrainingSetup& setup, Communicator& communicator)
      : method_(make_method(setup.config, setup.decks, kWorkers)),
        placement_(make_placement(setup.layout, *method_, 0, false)),
        parameters_(setup.spec, setup.layout, placement_, communicator.rank(), setup.config.train.seed),
        sync_(setup, communicator, parameters_),
        start_(values()) {
    sync_.agree();
  }

  RoundSync& sync() { return sync_; }

  void move(float by) {
    for (std::int64_t i = 0; i < placement_.arena.size(); ++i) {
      parameters_.values()[i] += by;
    }
  }

  void end_round(std::int64_t round, bool in_full) {
    sync_.stage(placement_, round, std::vector<std::int64_t>(kWorkers, 1), in_full);
    sync_.commit();
  }

  // How far the first shared value, and the last block's last one, are from where they started.
  float shared() { return parameters_.values()[0] - start_.front(); }
  float block() { return values().back() - start_.back(); }

 private:
  std::vector<float> values() { return {parameters_.values(), parameters_.values() + placement_.arena.size()}; }

  std::unique_ptr<TrainingMethod> method_;
  Placement placement_;
  WorkerParameters parameters_;
  RoundSync sync_;
  std::vector<float> start_;
};

TEST(RoundSync, AnOverlappedOuterStepStartsFromWhatWasAgreedOn) {
  Config config = small_config();
  config.train.method = Method::local_sgd;
  config.sync.overlap = true;
  config.outer.lr = kOuterRate;
  const TrainingSetup setup = prepare_training(config, kWorkers);
  run_in_process(kWorkers, [&](Communicator& communicator) {
    constexpr float kTolerance = 1e-4F;
    Moved worker(setup, communicator);
    // Workers part: by 1 and by 3, so the mean is at 2. Blocks follow it half way at once.
    worker.move(communicator.rank() == 0 ? 1 : 3);
    worker.end_round(0, /*in_full=*/false);
    EXPECT_NEAR(worker.block(), 1, kTolerance);
    // Shared parameters do where the average lands: agreed on is 1, and what came meanwhile stays.
    worker.sync().set_out();
    worker.move(10);
    worker.sync().land();
    EXPECT_NEAR(worker.shared(), 11, kTolerance);
    EXPECT_NEAR(worker.block(), 11, kTolerance);
    // All are at 11 when the next average sets out: halfway to it from 1 is 6.
    worker.end_round(1, /*in_full=*/false);
    EXPECT_NEAR(worker.block(), 6, kTolerance);
    worker.sync().set_out();
    worker.sync().land();
    EXPECT_NEAR(worker.shared(), 6, kTolerance);
    // A round in full follows from there.
    worker.move(2);
    worker.end_round(2, /*in_full=*/true);
    EXPECT_NEAR(worker.shared(), 7, kTolerance);
    EXPECT_NEAR(worker.block(), 7, kTolerance);
  });
}

}  // namespace
}  // namespace resist
