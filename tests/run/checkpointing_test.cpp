#include "resist/run/checkpointing.h"

#include <gtest/gtest.h>

#include "support/said_speeds.h"
#include "support/temporary_folder.h"
#include "support/training.h"

namespace resist {
namespace {

// What a run's worker does: saves after `save_after` rounds, or goes on from what is saved.
std::vector<NamedValues> train(const TrainingSetup& setup, int workers, const std::filesystem::path& run_dir,
                               std::int64_t save_after, bool resumes) {
  std::vector<NamedValues> values(static_cast<std::size_t>(workers));
  run_in_process(workers, [&](Communicator& communicator) {
    std::optional<Checkpoint> checkpoint;
    BalanceState balance;
    TrainPosition position;
    if (resumes) {
      const Checkpoint saved = open_checkpoint(run_dir, "last");
      position = position_of(saved.state());
      balance = restore_balance(communicator, setup, communicator.rank() == 0 ? &saved.state() : nullptr);
      if (communicator.rank() == 0) {
        checkpoint = saved;
      }
    }
    const std::atomic<int> stop = 0;
    Trainer trainer(setup, communicator, position, stop, nullptr, balance);
    if (resumes) {
      restore_checkpoint(trainer, checkpoint ? &*checkpoint : nullptr);
    }
    RecordingObserver observer;
    observer.after_round = [&](Trainer& now, const RoundRecord& record) {
      if (record.round == save_after) {
        save_checkpoint(now, run_dir, std::nullopt);
      }
    };
    trainer.run(observer);
    values[static_cast<std::size_t>(communicator.rank())] = named_values(trainer.parameters());
  });
  return values;
}

TEST(Checkpointing, ResumesWithTheSameBitsWhereHandsAreUnequal) {
  Config config = small_config();
  config.train.momentum_sync = MomentumSync::carry;
  config.train.rounds = 6;
  for (const std::int64_t saved : {1, 3, 4}) {
    const TemporaryFolder folder;
    const TrainingSetup setup = setup_with_said_speeds(config, 3);
    const auto whole = train(setup, 3, folder.path(), saved, false);
    const CheckpointState state = open_checkpoint(folder.path(), "last").state();
    EXPECT_EQ(state.hands.size(), 3U);
    EXPECT_EQ(state.hands[static_cast<std::size_t>(saved) / 2 % 3], std::vector<int>{1}) << "of two on an average";
    EXPECT_EQ(state.paces[2].size(), std::min<std::size_t>(Pace::kRounds, static_cast<std::size_t>(saved)));
    EXPECT_EQ(train(setup, 3, folder.path(), -1, true), whole) << "saved after round " << saved;
  }
}

TEST(Checkpointing, OuterMomentumGoesOn) {
  for (const Method method : {Method::resist, Method::local_sgd}) {
    Config config = small_config();
    config.train.method = method;
    config.train.rounds = 6;
    config.outer = {.lr = 0.7, .momentum = 0.9, .nesterov = true};
    const TemporaryFolder folder;
    const TrainingSetup setup = prepare_training(config, 3);
    const auto whole = train(setup, 3, folder.path(), 3, false);
    EXPECT_EQ(train(setup, 3, folder.path(), -1, true), whole);
  }
}

TEST(Checkpointing, TheScaleIsThatOfTheRoundThatWasSaved) {
  Config config = small_config();  // four rounds
  config.partition.final_min_blocks = 6;
  const TemporaryFolder folder;
  const TrainingSetup setup = prepare_training(config, 2);
  train(setup, 2, folder.path(), 3, false);
  const Checkpoint saved = open_checkpoint(folder.path(), "last");
  EXPECT_EQ(saved.state().block_scale, std::vector<double>{5.0 / 6});
  run_in_process(2, [&](Communicator& communicator) {
    const std::atomic<int> stop = 0;
    Trainer trainer(setup, communicator, position_of(saved.state()), stop);
    EXPECT_EQ(trainer.parameters().held().size(), 6U) << "in the next round";
    restore_checkpoint(trainer, communicator.rank() == 0 ? &saved : nullptr);
    EXPECT_EQ(trainer.block_scale(), saved.state().block_scale);
  });
}

TEST(Checkpointing, AnotherNumberOfWorkersStartsWithEqualHands) {
  const TemporaryFolder folder;
  const TrainingSetup setup = setup_with_said_speeds(small_config(), 3);
  train(setup, 3, folder.path(), 2, false);
  const CheckpointState state = open_checkpoint(folder.path(), "last").state();
  run_in_process(2, [&](Communicator& communicator) {
    const BalanceState balance = restore_balance(communicator, setup, communicator.rank() == 0 ? &state : nullptr);
    EXPECT_TRUE(balance.hands.empty());
    EXPECT_TRUE(balance.paces.empty());
  });
}

TEST(Checkpointing, HandsThatCanNotBeAreRefusedOnAllWorkers) {
  const TrainingSetup setup = setup_with_said_speeds(small_config(), 2);
  const CheckpointState state{.workers = 2, .hands = {{6}, {7}}, .paces = {{}, {}}};
  const auto errors = run_workers(make_in_process_group(2), [&](Communicator& communicator) {
    restore_balance(communicator, setup, communicator.rank() == 0 ? &state : nullptr);
  });
  EXPECT_NE(errors[0].find("can't hold 7 blocks"), std::string::npos) << errors[0];
  EXPECT_NE(errors[1], "");
}

}  // namespace
}  // namespace resist
