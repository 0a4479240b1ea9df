// Workers are lost at every step of a round, and the others go on.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "resist/core/failpoint.h"
#include "support/mortal_workers.h"
#include "support/said_speeds.h"
#include "support/training.h"

namespace resist {
namespace {

struct Fault {
  int worker;
  std::string step;
  std::int64_t round;
};

// What one worker saw.
struct Seen : RecordingObserver {
  void generation_began(Trainer& trainer, const GenerationRecord& record) override {
    generations.push_back(record);
    EXPECT_EQ(trainer.communicator().size(), static_cast<int>(record.members.size()));
  }
  std::optional<std::int64_t> restore_block(Trainer& /*trainer*/, int block, std::span<float> memory) override {
    restored.push_back(block);
    std::ranges::fill(memory, 0.25F);
    return 0;
  }
  void batch_used(Trainer& trainer, const Batch& batch, double /*learning_rate*/) override {
    used[trainer.position().round + 1].push_back(batch.stream_position);
  }
  void round_committed(Trainer& trainer, const RoundRecord& record, bool last) override {
    RecordingObserver::round_committed(trainer, record, last);
    commits.push_back(trainer.last_commit());
  }
  std::map<std::int64_t, std::vector<std::int64_t>> used;  // batches, by round
  std::vector<CommitRecord> commits;
  std::vector<GenerationRecord> generations;
  std::vector<int> restored;
  NamedValues values;
  std::vector<int> held;
  std::string end;
  TrainingResult result;
};

std::vector<Seen> train_with(const TrainingSetup& setup, int workers, const std::vector<Fault>& faults,
                             int joiners = 0) {
  set_failpoint_hook([&](std::string_view step, int worker, std::int64_t round) {
    for (const Fault& fault : faults) {
      if (fault.worker == worker && fault.step == step && fault.round == round) {
        throw Killed();
      }
    }
  });
  std::vector<Seen> seen(static_cast<std::size_t>(workers + joiners));
  const std::atomic<int> stop = 0;
  const auto train = [&](Trainer& trainer) {
    Seen& own = seen[static_cast<std::size_t>(trainer.identity())];
    own.result = trainer.run(own);
    own.values = named_values(trainer.parameters());
    own.held = trainer.parameters().held();
  };
  const auto ends = MortalWorkers().run(
      workers,
      [&](const std::shared_ptr<Communicator>& communicator, Membership& membership) {
        Trainer trainer(setup, *communicator, {}, stop, &membership);
        train(trainer);
      },
      joiners,
      [&](Generation generation, Membership& membership) {
        Trainer trainer(setup, std::move(generation), stop, membership);
        train(trainer);
      });
  set_failpoint_hook(nullptr);
  for (int worker = 0; worker < workers + joiners; ++worker) {
    seen[worker].end = ends[worker];
  }
  return seen;
}

std::vector<Seen> train_with(const Config& config, int workers, const std::vector<Fault>& faults, int joiners = 0) {
  return train_with(prepare_training(config, workers), workers, faults, joiners);
}

Config four_rounds() {
  Config config = small_config();
  config.train.rounds = 4;
  config.evaluation.eval_every = 1;
  return config;
}

// The survivors have come to the end, together: all rounds, once each, and the same parameters wherever two hold one.
void expect_survival(const Config& config, const std::vector<Seen>& seen, const std::set<int>& lost) {
  NamedValues all;
  std::set<int> blocks;
  for (int worker = 0; worker < static_cast<int>(seen.size()); ++worker) {
    if (lost.contains(worker)) {
      EXPECT_EQ(seen[worker].end, "killed");
      continue;
    }
    ASSERT_EQ(seen[worker].end, "");
    EXPECT_EQ(seen[worker].result.position.round, config.train.rounds);
    std::map<std::int64_t, double> losses;
    for (const RoundRecord& record : seen[worker].records) {
      EXPECT_TRUE(std::isfinite(record.loss));
      EXPECT_TRUE(record.accuracy.has_value());
      losses[record.round] = record.loss;
    }
    EXPECT_EQ(losses.size(), static_cast<std::size_t>(config.train.rounds));
    blocks.insert(seen[worker].held.begin(), seen[worker].held.end());
    for (const auto& [name, values] : seen[worker].values) {
      const auto [place, first] = all.emplace(name, values);
      if (!first && !config.sync.overlap) {
        EXPECT_EQ(place->second, values) << name << " on worker " << worker;
      }
    }
  }
  EXPECT_EQ(blocks.size(), 6U);
}

class AnyStep : public testing::TestWithParam<std::string_view> {};

TEST_P(AnyStep, OneOfThreeWorkersIsLostAndNoBlock) {
  const Config config = four_rounds();
  for (const int victim : {0, 1, 2}) {
    SCOPED_TRACE(victim);
    const auto seen = train_with(config, 3, {{victim, std::string(GetParam()), 2}});
    expect_survival(config, seen, {victim});
    for (int worker = 0; worker < 3; ++worker) {
      if (worker == victim) {
        continue;
      }
      EXPECT_TRUE(seen[worker].restored.empty());
      ASSERT_EQ(seen[worker].generations.size(), 1U);
      EXPECT_EQ(seen[worker].generations[0].lost, std::vector<int>{victim});
      EXPECT_TRUE(seen[worker].generations[0].lost_blocks.empty());
    }
  }
}

TEST_P(AnyStep, TheSameLossGivesTheSameBits) {
  const Config config = four_rounds();
  const auto once = train_with(config, 3, {{1, std::string(GetParam()), 2}});
  const auto again = train_with(config, 3, {{1, std::string(GetParam()), 2}});
  EXPECT_EQ(once[0].values, again[0].values);
}

TEST_P(AnyStep, OneOfTwoIsLostAndTheOtherHoldsEverything) {
  const Config config = four_rounds();
  for (const int victim : {0, 1}) {
    SCOPED_TRACE(victim);
    const auto seen = train_with(config, 2, {{victim, std::string(GetParam()), 2}});
    expect_survival(config, seen, {victim});
    EXPECT_EQ(seen[1 - victim].held.size(), 6U);
    EXPECT_TRUE(seen[1 - victim].restored.empty());
  }
}

TEST_P(AnyStep, OneIsLostWhereTheyHoldDifferentNumbersOfBlocks) {
  const Config config = four_rounds();
  for (const int victim : {0, 2}) {
    SCOPED_TRACE(victim);
    const TrainingSetup setup = setup_with_said_speeds(config, 3);
    const auto seen = train_with(setup, 3, {{victim, std::string(GetParam()), 3}});
    expect_survival(config, seen, {victim});
    const Seen& first = seen[victim == 0 ? 1 : 0];
    EXPECT_TRUE(first.restored.empty());
    ASSERT_EQ(first.generations.size(), 1U);
    EXPECT_EQ(first.generations[0].next_blocks.size(), 2U);
    EXPECT_EQ(first.records.back().next_blocks->size(), 2U);
  }
}

INSTANTIATE_TEST_SUITE_P(Steps, AnyStep, testing::ValuesIn(kFailpoints),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(Recovery, LocalIterationsOfTheOthersAreKept) {
  const Config config = four_rounds();
  const auto seen = train_with(config, 3, {{2, "trained", 2}});
  ASSERT_EQ(seen[0].generations.size(), 1U);
  EXPECT_TRUE(seen[0].generations[0].round_kept);
  ASSERT_EQ(seen[0].records.size(), 4U);
  EXPECT_EQ(seen[0].records[0].samples, 3 * 3 * 8);
  EXPECT_EQ(seen[0].records[1].samples - seen[0].records[0].samples, 2 * 3 * 8);  // of two workers
  EXPECT_EQ(seen[0].records[1].worker_loss.size(), 2U);
}

std::vector<std::int64_t> positions_of(const Contribution& contribution) {
  std::vector<std::int64_t> positions;
  for (const BatchRun& run : contribution.batches) {
    for (std::int64_t i = 0; i < run.count; ++i) {
      positions.push_back(run.first + i * run.stride);
    }
  }
  return positions;
}

// What is committed was trained on by whom the record says, every batch once, and none of the pass is left out.
void expect_every_batch_once(const std::vector<Seen>& seen, int teller, std::int64_t samples, int batch_size) {
  std::set<std::int64_t> committed;
  std::int64_t round = 0;
  for (const CommitRecord& commit : seen[teller].commits) {
    ASSERT_EQ(commit.round, ++round);
    for (const Contribution& contribution : commit.contributions) {
      const auto positions = positions_of(contribution);
      EXPECT_EQ(static_cast<std::int64_t>(positions.size()), contribution.iterations);
      const auto& used = seen[contribution.worker].used.at(commit.round);
      EXPECT_EQ(std::vector(used.begin(), used.begin() + contribution.iterations), positions)
          << "worker " << contribution.worker << ", round " << commit.round;
      for (const std::int64_t position : positions) {
        EXPECT_TRUE(committed.insert(position).second) << "batch " << position << " twice, in round " << commit.round;
      }
    }
  }
  for (std::int64_t position = 0; position < samples; position += batch_size) {
    EXPECT_TRUE(committed.contains(position)) << "batch " << position << " is left out";
  }
  EXPECT_EQ(seen[teller].result.position.samples, static_cast<std::int64_t>(committed.size()) * batch_size);
}

Config one_sharded_pass() {
  Config config = small_config();
  config.data.data_mode = DataMode::sharded;
  config.train.rounds = 0;
  config.train.epochs = 1;
  config.evaluation.eval_every = 1;
  return config;
}

TEST_P(AnyStep, ShardedSamplesAreUsedOnceAPassWhoeverIsLost) {
  const Config config = one_sharded_pass();  // 50 batches: 6 rounds of 3 workers with 3 iterations
  for (const std::int64_t round : {2, 6}) {
    for (const int victim : {0, 1, 2}) {
      SCOPED_TRACE(fmt::format("worker {}, round {}", victim, round));
      const auto seen = train_with(config, 3, {{victim, std::string(GetParam()), round}});
      expect_every_batch_once(seen, victim == 0 ? 1 : 0, 400, 8);
    }
  }
}

TEST(Recovery, ShardedSamplesAreUsedOnceAPassWhileWorkersComeAndGo) {
  for (const Method method : {Method::resist, Method::local_sgd, Method::data_parallel}) {
    Config config = one_sharded_pass();
    config.train.method = method;
    config.partition.min_blocks = 1;
    const auto seen = train_with(config, 4, {{1, "training", 2}, {3, "trained", 3}, {0, "agreed", 4}}, 2);
    expect_every_batch_once(seen, 2, 400, 8);
    EXPECT_EQ(seen[4].end, "");
    EXPECT_FALSE(seen[4].used.empty());
  }
}

// What is trained lies elsewhere while a round trains.
TEST(Recovery, OnADeviceWithMemoryOfItsOwn) {
  for (const auto& set : std::vector<std::function<void(Config&)>>{
           [](Config&) {}, [](Config& config) { config.train.method = Method::data_parallel; },
           [](Config& config) {
             config.sync.overlap = true;
             config.evaluation.eval_every = 2;
           }}) {
    for (const std::string_view step : {"training", "trained", "staged", "committed"}) {
      Config config = four_rounds();
      set(config);
      TrainingSetup setup = prepare_training(config, 3);
      setup.device = "cpu:0";
      const auto seen = train_with(setup, 3, {{1, std::string(step), 2}}, 0);
      for (const int survivor : {0, 2}) {
        ASSERT_EQ(seen[survivor].end, "");
        EXPECT_EQ(seen[survivor].result.position.round, 4);
        for (const RoundRecord& record : seen[survivor].records) {
          EXPECT_TRUE(std::isfinite(record.loss));
        }
      }
      if (!config.sync.overlap) {
        expect_survival(config, seen, {1});
      }
    }
  }
}

TEST(Recovery, WhoHasCommittedTakesTheOthersAlong) {
  // Worker 2 is lost when it knows that all have staged; the others may or may not know it then.
  const Config config = four_rounds();
  const auto seen = train_with(config, 3, {{2, "agreed", 2}});
  expect_survival(config, seen, {2});
  EXPECT_EQ(seen[0].records[1].samples - seen[0].records[0].samples,
            seen[1].records[1].samples - seen[1].records[0].samples);
}

// With fewer workers the rounds that are left are fewer samples, so the depth that belongs to a share of them jumps.
TEST(Recovery, TheScaleIsOfWhatTheRoundWasDealt) {
  Config config = four_rounds();
  config.train.rounds = 8;
  config.partition.min_blocks = 2;
  config.partition.final_min_blocks = 6;
  class Scales : public TrainingObserver {
   public:
    void round_starts(Trainer& trainer) override { held = trainer.parameters().held().size(); }
    void round_committed(Trainer& trainer, const RoundRecord& record, bool /*last*/) override {
      EXPECT_EQ(trainer.block_scale(), std::vector<double>{static_cast<double>(held) / 6}) << record.round;
      ++rounds;
    }
    std::size_t held = 0;
    int rounds = 0;
  };
  const TrainingSetup setup = prepare_training(config, 4);
  set_failpoint_hook([](std::string_view step, int worker, std::int64_t round) {
    if (worker >= 2 && step == "trained" && round == 5) {
      throw Killed();
    }
  });
  const std::atomic<int> stop = 0;
  std::vector<int> rounds(4);
  MortalWorkers().run(4, [&](const std::shared_ptr<Communicator>& communicator, Membership& membership) {
    Trainer trainer(setup, *communicator, {}, stop, &membership);
    Scales scales;
    const int identity = trainer.identity();
    trainer.run(scales);
    rounds[static_cast<std::size_t>(identity)] = scales.rounds;
  });
  set_failpoint_hook(nullptr);
  EXPECT_EQ(rounds, (std::vector<int>{8, 8, 0, 0}));
}

TEST(Recovery, TwoAreLostOneAfterTheOther) {
  Config config = four_rounds();
  config.partition.min_blocks = 1;
  const auto seen = train_with(config, 4, {{1, "trained", 2}, {3, "staged", 3}});
  expect_survival(config, seen, {1, 3});
  EXPECT_TRUE(seen[0].restored.empty());
  EXPECT_EQ(seen[0].generations.size(), 2U);
}

TEST(Recovery, AnotherIsLostWhileTheFirstLossIsMended) {
  Config config = four_rounds();
  config.partition.min_blocks = 1;
  // Worker 3 comes by "ready" of round 2 only after worker 1 is lost.
  const auto seen = train_with(config, 4, {{1, "trained", 2}, {3, "ready", 2}});
  expect_survival(config, seen, {1, 3});
  ASSERT_FALSE(seen[0].generations.empty());
  EXPECT_EQ(seen[0].generations.back().lost, (std::vector<int>{1, 3}));
}

TEST(Recovery, BlocksThatNobodyHasComeFromTheCheckpointOfWorker0) {
  Config config = four_rounds();
  config.partition.min_blocks = 1;
  config.sync.protect = Protection::none;
  const auto seen = train_with(config, 3, {{1, "trained", 3}});
  expect_survival(config, seen, {1});
  EXPECT_EQ(seen[0].restored.size(), 2U);
  ASSERT_EQ(seen[0].generations.size(), 1U);
  ASSERT_EQ(seen[0].generations[0].lost_blocks.size(), 2U);
  EXPECT_EQ(seen[0].generations[0].lost_blocks[0].rounds, 2);
  EXPECT_TRUE(seen[2].restored.empty());
}

TEST(Recovery, EveryWayOfTrainingGoesOn) {
  struct Way {
    std::string name;
    std::function<void(Config&)> set;
  };
  const std::vector<Way> ways = {
      {"carried momentum", [](Config& config) { config.train.momentum_sync = MomentumSync::carry; }},
      {"averaged momentum", [](Config& config) { config.train.momentum_sync = MomentumSync::average; }},
      {"int6", [](Config& config) { config.sync.compress = Compression::int6; }},
      {"overlap",
       [](Config& config) {
         config.sync.overlap = true;
         config.evaluation.eval_every = 2;  // a round that is evaluated is synchronised in full
       }},
      {"overlap and outer momentum",
       [](Config& config) {
         config.sync.overlap = true;
         config.outer.momentum = 0.4;
         config.evaluation.eval_every = 2;
       }},
      {"int6 and overlap",
       [](Config& config) {
         config.sync.compress = Compression::int6;
         config.sync.overlap = true;
         config.evaluation.eval_every = 2;
       }},
      {"local SGD", [](Config& config) { config.train.method = Method::local_sgd; }},
      {"data-parallel", [](Config& config) { config.train.method = Method::data_parallel; }},
      {"sharded", [](Config& config) { config.data.data_mode = DataMode::sharded; }},
      {"warm-up", [](Config& config) { config.train.warmup_epochs = 0.5; }},
      {"full depth at the end", [](Config& config) { config.train.full_depth_epochs = 0.5; }},
      {"outer momentum", [](Config& config) { config.outer.momentum = 0.4; }},
      {"outer momentum of local SGD",
       [](Config& config) {
         config.train.method = Method::local_sgd;
         config.outer = {.lr = 0.7, .momentum = 0.9, .nesterov = true};
       }},
      {"last section apart",
       [](Config& config) {
         config.sync.last_section_every = 2;
         config.evaluation.eval_every = 0;
       }},
  };
  for (const Way& way : ways) {
    for (const std::string_view step : {"training", "trained", "staged", "agreed", "committed"}) {
      SCOPED_TRACE(way.name + ", " + std::string(step));
      Config config = four_rounds();
      way.set(config);
      const bool evaluated = config.evaluation.eval_every == 1;
      const auto seen = train_with(config, 3, {{1, std::string(step), 2}});
      for (const int worker : {0, 2}) {
        EXPECT_EQ(seen[worker].end, "");
        EXPECT_EQ(seen[worker].result.position.round, 4);
      }
      if (evaluated) {
        expect_survival(config, seen, {1});
      }
    }
  }
}

TEST(Joining, WhoJoinsHasWhatTheOthersHaveAndTrainsWithThem) {
  for (const auto& set : std::vector<std::function<void(Config&)>>{
           [](Config&) {}, [](Config& config) { config.train.method = Method::data_parallel; },
           [](Config& config) { config.train.momentum_sync = MomentumSync::average; },
           [](Config& config) { config.sync.compress = Compression::int6; },
           [](Config& config) { config.data.data_mode = DataMode::sharded; }}) {
    Config config = four_rounds();
    set(config);
    const auto seen = train_with(config, 2, {}, 2);
    ASSERT_EQ(seen[0].generations.size(), 1U);
    EXPECT_EQ(seen[0].generations[0].joined, (std::vector<int>{2, 3}));
    EXPECT_EQ(seen[0].generations[0].round, 1);  // at the end of the first round
    EXPECT_EQ(seen[3].records.size(), 3U);
    EXPECT_EQ(seen[3].records[0].worker_loss.size(), 4U);
    NamedValues all;
    for (const Seen& worker : seen) {
      EXPECT_EQ(worker.end, "");
      EXPECT_EQ(worker.result.position.round, 4);
      for (const auto& [name, values] : worker.values) {
        EXPECT_EQ(all.emplace(name, values).first->second, values) << name;
      }
    }
  }
}

TEST(Joining, WhoJoinsIsDealtByWhatIsKnownOfTheOthers) {
  const TrainingSetup setup = setup_with_said_speeds(four_rounds(), 2);
  const auto seen = train_with(setup, 2, {}, 1);
  ASSERT_EQ(seen[2].records.size(), 3U);
  EXPECT_EQ(seen[2].generations[0].next_blocks.size(), 3U);
  NamedValues all;
  for (const Seen& worker : seen) {
    EXPECT_EQ(worker.end, "");
    EXPECT_EQ(worker.records.back().next_blocks, seen[0].records.back().next_blocks);
    for (const auto& [name, values] : worker.values) {
      EXPECT_EQ(all.emplace(name, values).first->second, values) << name;
    }
  }
}

// Any of them, the one that joins as well, is lost while it is let in.
TEST(Joining, SomebodyIsLostMeanwhile) {
  for (const std::string_view step : {"ready", "staged", "agreed"}) {
    for (const int victim : {0, 1, 2}) {
      SCOPED_TRACE(std::string(step) + ", " + std::to_string(victim));
      const Config config = four_rounds();
      // After the first round's end a worker comes by this step of round 2 when the other one is let in.
      const auto seen = train_with(config, 2, {{victim, std::string(step), 2}}, 1);
      for (int worker = 0; worker < 3; ++worker) {
        EXPECT_EQ(seen[worker].end, worker == victim ? "killed" : "");
        EXPECT_TRUE(seen[worker].restored.empty());
        if (worker != victim) {
          EXPECT_EQ(seen[worker].result.position.round, 4);
        }
      }
    }
  }
}

TEST(Recovery, WithoutAMembershipALostWorkerIsAnError) {
  const Config config = four_rounds();
  set_failpoint_hook([](std::string_view step, int worker, std::int64_t round) {
    if (step == "trained" && worker == 1 && round == 2) {
      throw Killed();
    }
  });
  const TrainingSetup setup = prepare_training(config, 2);
  const auto ends = MortalWorkers().run(2, [&](const std::shared_ptr<Communicator>& communicator, Membership&) {
    const std::atomic<int> stop = 0;
    Trainer trainer(setup, *communicator, {}, stop);
    RecordingObserver observer;
    trainer.run(observer);
  });
  set_failpoint_hook(nullptr);
  EXPECT_EQ(ends[1], "killed");
  EXPECT_NE(ends[0].find("worker 1"), std::string::npos) << ends[0];
}

}  // namespace
}  // namespace resist
