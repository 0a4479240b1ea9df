#include "resist/train/trainer.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <numeric>
#include <set>

#include "resist/model/initialise.h"
#include "resist/plan/prediction.h"
#include "support/said_speeds.h"
#include "support/training.h"

namespace resist {
namespace {

bool is_weight(const Parameter& parameter) {
  return parameter.name.starts_with("conv1.w") || parameter.name.ends_with(".conv1.weight") ||
         parameter.name.ends_with(".conv2.weight") || parameter.name.ends_with("downsample.0.weight") ||
         parameter.name == "fc.weight";
}

// Plain SGD on the whole network, written without resist's arenas, assignments, rounds and optimizer: the oracle.
// Momentum is zeroed every `zero_every` iterations (0: never). An outer step follows every round, of the shared
// parameters, and where no blocks are dealt of all.
NamedValues plain_sgd(const Config& config, int iterations, int zero_every) {
  const TrainingSetup setup = prepare_training(config, 1);
  Network network(setup.spec, setup.layout);
  struct Group {
    const std::vector<Parameter>* parameters;
    at::Tensor values;
    std::vector<float> momentum;
    std::vector<at::Tensor> leaves;
    std::vector<float> agreed;
    std::vector<float> outer_momentum;
  };
  std::vector<Group> groups;
  const auto add = [&](const std::vector<Parameter>& parameters, std::int64_t size) {
    groups.push_back({&parameters, at::empty({size}), std::vector<float>(size), {}, {}, std::vector<float>(size)});
    float* values = groups.back().values.data_ptr<float>();
    initialise(parameters, config.train.seed, {values, static_cast<std::size_t>(size)});
    groups.back().agreed.assign(values, values + size);
  };
  add(setup.layout.shared, setup.layout.shared_size);
  for (const BlockLayout& block : setup.layout.blocks) {
    add(block.parameters, block.size);
  }
  groups[0].leaves = network.bind_shared({.values = groups[0].values, .trained = true});
  for (std::size_t id = 0; id < setup.layout.blocks.size(); ++id) {
    Group& group = groups[1 + id];
    group.leaves = network.bind_block(static_cast<int>(id), {.values = group.values, .trained = true});
  }

  TrainLoader loader(setup.data.train, setup.data.info, make_augmentation(config.data, setup.data.info),
                     {.mode = config.data.data_mode, .worker = 0, .workers = 1, .batch_size = config.train.batch_size},
                     config.train.seed, {});
  const auto lr = static_cast<float>(config.train.lr);
  const auto mu = static_cast<float>(config.train.momentum);
  for (int iteration = 0; iteration < iterations; ++iteration) {
    const Batch& batch = loader.next();
    for (Group& group : groups) {
      for (at::Tensor& leaf : group.leaves) {
        leaf.mutable_grad().reset();
      }
      if (zero_every > 0 && iteration % zero_every == 0) {
        std::fill(group.momentum.begin(), group.momentum.end(), 0.0F);
      }
    }
    const at::Tensor images =
        at::from_blob(const_cast<float*>(batch.pixels.data()),
                      {batch.size(), setup.spec.channels, setup.spec.height, setup.spec.image_width});
    const at::Tensor labels = at::tensor(batch.labels);
    const at::Tensor logits = network.forward(images);
    at::Tensor loss = at::cross_entropy_loss(logits, labels);
    if (config.train.label_smoothing > 0) {  // a share of the target is spread over all classes
      loss = (1 - config.train.label_smoothing) * loss - config.train.label_smoothing * logits.log_softmax(1).mean();
    }
    loss.backward();
    for (Group& group : groups) {
      for (std::size_t leaf = 0; leaf < group.leaves.size(); ++leaf) {
        const Parameter& parameter = (*group.parameters)[leaf];
        float* value = group.values.data_ptr<float>() + parameter.offset;
        float* momentum = group.momentum.data() + parameter.offset;
        const auto* gradient = group.leaves[leaf].grad().data_ptr<float>();
        const bool decays = config.train.decay_norms || is_weight(parameter);
        const auto decay = decays ? static_cast<float>(config.train.weight_decay) : 0.0F;
        for (std::int64_t i = 0; i < parameter.size; ++i) {
          momentum[i] = mu * momentum[i] + (gradient[i] + decay * value[i]);
          value[i] = value[i] - lr * momentum[i];
        }
      }
    }
    const bool round_ends = (iteration + 1) % config.train.local_iterations == 0;
    for (Group& group : groups) {
      const bool followed = config.train.method == Method::local_sgd || &group == groups.data();
      for (std::size_t i = 0; i < group.agreed.size() && round_ends && followed && config.outer.used(); ++i) {
        float& value = group.values.data_ptr<float>()[i];
        const float back = group.agreed[i] - value;
        const auto beta = static_cast<float>(config.outer.momentum);
        group.outer_momentum[i] = beta * group.outer_momentum[i] + back;
        const float step = config.outer.nesterov ? back + beta * group.outer_momentum[i] : group.outer_momentum[i];
        value = group.agreed[i] = group.agreed[i] - static_cast<float>(config.outer.lr) * step;
      }
    }
  }
  NamedValues result;
  for (const Group& group : groups) {
    for (const Parameter& parameter : *group.parameters) {
      const float* begin = group.values.data_ptr<float>() + parameter.offset;
      result[parameter.name] = {begin, begin + parameter.size};
    }
  }
  return result;
}

Config constant_rate(MomentumSync momentum) {
  Config config = small_config();
  config.train.schedule = Schedule::constant;
  config.train.momentum_sync = momentum;
  return config;
}

TEST(Trainer, OneWorkerThatCarriesMomentumIsPlainSgdBitForBit) {
  const Config config = constant_rate(MomentumSync::carry);
  EXPECT_EQ(train_in_process(config, 1)[0].values, plain_sgd(config, 12, 0));
}

TEST(Trainer, OneWorkerThatResetsMomentumIsPlainSgdWithMomentumZeroedEveryRound) {
  const Config config = constant_rate(MomentumSync::reset);
  const auto trained = train_in_process(config, 1)[0].values;
  EXPECT_EQ(trained, plain_sgd(config, 12, 3));
  EXPECT_NE(trained, plain_sgd(config, 12, 0));
}

TEST(Trainer, AgreedParametersFollowTheMeanWithAnOuterStep) {
  for (const Method method : {Method::resist, Method::local_sgd}) {
    for (const OuterOptions& outer :
         {OuterOptions{.momentum = 0.5}, OuterOptions{.lr = 0.5, .momentum = 0.75, .nesterov = true}}) {
      Config config = constant_rate(MomentumSync::carry);
      config.train.method = method;
      config.outer = outer;
      const auto trained = train_in_process(config, 1)[0].values;
      EXPECT_EQ(trained, plain_sgd(config, 12, 0));
      config.outer = {};
      EXPECT_NE(trained, plain_sgd(config, 12, 0));
    }
  }
}

TEST(Trainer, NormsNeedNotDecay) {
  Config config = constant_rate(MomentumSync::carry);
  config.train.weight_decay = 0.05;
  const auto all = train_in_process(config, 1)[0].values;
  config.train.decay_norms = false;
  const auto trained = train_in_process(config, 1)[0].values;
  EXPECT_EQ(trained, plain_sgd(config, 12, 0));
  EXPECT_NE(trained, all);
  // Data-parallel steps from averaged gradients instead of one by one.
  config.train.method = Method::data_parallel;
  EXPECT_EQ(train_in_process(config, 1)[0].values, trained);
}

TEST(Trainer, LabelsAreSmoothed) {
  Config config = constant_rate(MomentumSync::carry);
  const auto sharp = train_in_process(config, 1)[0].values;
  config.train.label_smoothing = 0.1;
  const auto trained = train_in_process(config, 1)[0].values;
  EXPECT_NE(trained, sharp);
  for (const auto& [name, values] : plain_sgd(config, 12, 0)) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_NEAR(trained.at(name)[i], values[i], 1e-4) << name;
    }
  }
}

TEST(Trainer, AveragedMomentumOfOneWorkerIsCarriedMomentum) {
  EXPECT_EQ(train_in_process(constant_rate(MomentumSync::average), 1)[0].values,
            train_in_process(constant_rate(MomentumSync::carry), 1)[0].values);
}

// After a synchronisation all who hold a parameter hold the same value.
void expect_agreement(const std::vector<Trained>& trained) {
  NamedValues all;
  for (const Trained& worker : trained) {
    for (const auto& [name, values] : worker.values) {
      const auto [first, is_new] = all.emplace(name, values);
      EXPECT_TRUE(is_new || first->second == values) << name;
    }
  }
}

// Long enough for the small job to be learned.
Config learning_config() {
  Config config = small_config();
  config.train.rounds = 40;
  config.train.lr = 0.05;
  config.train.schedule = Schedule::cosine;
  return config;
}

void expect_learning(const std::vector<Trained>& trained) {
  expect_agreement(trained);
  const auto& records = trained[0].records;
  ASSERT_EQ(records.size(), 40U);
  EXPECT_LT(records.back().loss, 0.8 * records.front().loss);
  EXPECT_GT(records.back().accuracy.value(), 0.5);  // of four classes
}

TEST(Trainer, EveryMethodAgreesAfterEachRoundAndLearns) {
  for (const Method method : {Method::resist, Method::local_sgd, Method::data_parallel}) {
    for (const int workers : {2, 3}) {
      Config config = learning_config();
      config.train.method = method;
      const auto trained = train_in_process(config, workers);
      expect_learning(trained);
      const auto& records = trained[0].records;
      EXPECT_EQ(records.back().samples, 40 * 3 * 8 * workers);
      for (int worker = 1; worker < workers; ++worker) {
        EXPECT_EQ(trained[worker].records.back().accuracy, records.back().accuracy);
      }
    }
  }
}

TEST(Trainer, CompressedAndOverlappedTrainingAgreesAtTheEndAndLearns) {
  for (const auto& [compress, overlap] :
       {std::pair(Compression::bf16, false), std::pair(Compression::int8, false), std::pair(Compression::int6, false),
        std::pair(Compression::int4, false), std::pair(Compression::none, true), std::pair(Compression::int6, true)}) {
    SCOPED_TRACE(testing::Message() << static_cast<int>(compress) << (overlap ? ", overlapped" : ""));
    Config config = learning_config();
    config.sync.compress = compress;
    config.sync.overlap = overlap;
    const auto trained = train_in_process(config, 3);
    expect_learning(trained);
    Config plain = config;
    plain.sync = {};
    EXPECT_NE(trained[0].values, train_in_process(plain, 3)[0].values);
  }
}

TEST(Trainer, EveryLeverAgreesAtTheEndAndLearns) {
  const std::map<std::string, std::function<void(Config&)>> levers = {
      {"strata", [](Config& config) { config.partition.dealing = Dealing::strata; }},
      {"blocks that stay", [](Config& config) { config.partition.deal_every = 2; }},
      {"outer momentum", [](Config& config) { config.outer.momentum = 0.4; }},
      {"overlapped outer momentum",
       [](Config& config) {
         config.outer.momentum = 0.4;
         config.sync.overlap = true;
       }},
      {"compressed outer momentum",
       [](Config& config) {
         config.outer.momentum = 0.4;
         config.sync.compress = Compression::int8;
       }},
      {"outer momentum, last section apart",
       [](Config& config) {
         config.outer.momentum = 0.4;
         config.sync.last_section_every = 3;
       }},
      {"compressed, last section apart",
       [](Config& config) {
         config.sync.last_section_every = 3;
         config.sync.compress = Compression::int8;
         config.train.momentum_sync = MomentumSync::average;
       }},
      {"stochastic depth", [](Config& config) { config.train.stochastic_depth = 0.2; }},
      {"full depth at the end", [](Config& config) { config.train.full_depth_epochs = 1; }},
      {"a depth that grows", [](Config& config) { config.partition.final_min_blocks = 6; }},
  };
  const auto plain = train_in_process(learning_config(), 3);
  for (const auto& [name, apply] : levers) {
    SCOPED_TRACE(name);
    Config config = learning_config();
    apply(config);
    const auto trained = train_in_process(config, 3);
    expect_learning(trained);
    EXPECT_NE(trained[0].values, plain[0].values);
  }
}

TEST(Trainer, OuterStepsCostNoBytesAndARarerLastSectionSavesThem) {
  for (const Method method : {Method::resist, Method::local_sgd}) {
    Config config = small_config();
    config.train.method = method;
    config.train.momentum_sync = MomentumSync::average;
    config.train.rounds = 3;  // the last one is not the last section's turn, but in full
    const auto plain = train_in_process(config, 3)[0].records;
    config.outer.momentum = 0.4;
    config.sync.last_section_every = 2;
    const TrainingSetup setup = prepare_training(config, 1);
    const auto records = train_in_process(config, 3)[0].records;
    for (const RoundRecord& record : records) {
      const bool last = record.round == config.train.rounds;
      EXPECT_EQ(record.worker_bytes_sent, predict_round(config, setup.layout, 3, record.round - 1, last).sent);
      const std::int64_t before = plain[static_cast<std::size_t>(record.round) - 1].bytes_sent;
      EXPECT_EQ(record.bytes_sent < before, record.round == 1);
      EXPECT_LE(record.bytes_sent, before);
    }
  }
}

// Workers have their own last section until it is averaged, and the same of everything else.
TEST(Trainer, TheLastSectionIsAveragedEverySoManyRounds) {
  Config config = small_config();
  config.sync.last_section_every = 2;
  const TrainingSetup setup = prepare_training(config, 1);
  std::map<std::int64_t, std::vector<NamedValues>> after;
  std::mutex mutex;
  run_in_process(2, [&](Communicator& communicator) {
    const std::atomic<int> stop = 0;
    Trainer trainer(setup, communicator, {}, stop);
    RecordingObserver observer;
    observer.after_round = [&](Trainer& now, const RoundRecord& record) {
      const std::lock_guard lock(mutex);
      after[record.round].push_back(named_values(now.parameters()));
    };
    trainer.run(observer);
  });
  for (const auto& [round, workers] : after) {
    for (const auto& [name, values] : workers[0]) {
      const auto other = workers[1].find(name);
      if (other != workers[1].end()) {
        EXPECT_EQ(values == other->second, round % 2 == 0 || !name.starts_with("layer4.")) << name << ", " << round;
      }
    }
  }
}

TEST(Trainer, StochasticDepthIsTheSameAgain) {
  Config config = small_config();
  config.train.stochastic_depth = 0.3;
  const auto trained = train_in_process(config, 3);
  EXPECT_EQ(trained[1].values, train_in_process(config, 3)[1].values);
  config.train.stochastic_depth = 0;
  EXPECT_NE(trained[1].values, train_in_process(config, 3)[1].values);
}

// What takes part in no iteration stays as it was, and counts accordingly in evaluation.
TEST(Trainer, StochasticDepthLeavesBlocksOut) {
  Config config = small_config();
  config.train.method = Method::local_sgd;
  config.train.stochastic_depth = 0.9999;
  for (const bool first_blocks : {false, true}) {  // a first block's shortcut is shared, and taken whatever is left out
    config.partition.partition_first_blocks = first_blocks;
    const TrainingSetup setup = prepare_training(config, 1);
    std::set<std::string> dealt;
    for (const BlockLayout& block : setup.layout.blocks) {
      std::ranges::transform(block.parameters, std::inserter(dealt, dealt.end()), &Parameter::name);
    }
    run_in_process(1, [&](Communicator& communicator) {
      const std::atomic<int> stop = 0;
      Trainer trainer(setup, communicator, {}, stop);
      EXPECT_NEAR(trainer.block_scale()[0], 0.0001, 1e-12);
      const NamedValues before = named_values(trainer.parameters());
      RecordingObserver observer;
      trainer.run(observer);
      for (const auto& [name, values] : named_values(trainer.parameters())) {
        EXPECT_EQ(values == before.at(name), dealt.contains(name)) << name;
      }
    });
  }
  config.partition.partition_first_blocks = false;
  const TrainingSetup setup = prepare_training(config, 1);
  config.train.method = Method::resist;
  config.train.stochastic_depth = 0.5;
  EXPECT_EQ(make_method(config, setup.decks, 3)->block_scale(false), (std::vector<double>{0.5 * 4 / 6}));
  EXPECT_EQ(make_method(config, setup.decks, 3)->block_scale(true), (std::vector<double>{0.5}));
  config.partition.scale_blocks = false;
  EXPECT_EQ(make_method(config, setup.decks, 3)->block_scale(false), (std::vector<double>{1}));
}

TEST(Trainer, Bf16LearnsWithFloat32Parameters) {
  Config config = learning_config();
  config.cluster.precision = Precision::bf16;
  const auto trained = train_in_process(config, 2);
  expect_learning(trained);
  Config exact = config;
  exact.cluster.precision = Precision::fp32;
  const auto reference = train_in_process(exact, 2);
  EXPECT_NE(trained[0].values, reference[0].values);
  // The first round starts from the same weights: its loss differs by rounding only (8 bits of mantissa).
  const double expected = reference[0].records.front().loss;
  EXPECT_NEAR(trained[0].records.front().loss, expected, 0.05 * expected);
}

TEST(Trainer, OverlapSendsNoMoreThanThePlanSays) {
  Config config = small_config();
  config.sync.overlap = true;
  const TrainingSetup setup = prepare_training(config, 1);
  const auto trained = train_in_process(config, 3);
  std::int64_t sent = 0;
  std::int64_t planned = 0;
  for (const RoundRecord& record : trained[0].records) {
    const RoundPayload predicted = predict_round(config, setup.layout, 3, record.round - 1);
    sent += record.bytes_sent;
    planned += std::accumulate(predicted.sent.begin(), predicted.sent.end(), std::int64_t{0});
  }
  EXPECT_EQ(sent, planned);
}

// The first shared value of worker 0 before each iteration.
std::vector<float> walk(const Config& config) {
  const TrainingSetup setup = prepare_training(config, 1);
  std::vector<float> values;
  run_in_process(3, [&](Communicator& communicator) {
    class Walk : public TrainingObserver {
     public:
      explicit Walk(std::vector<float>* values) : values_(values) {}
      void batch_used(Trainer& trainer, const Batch& /*batch*/, double /*learning_rate*/) override {
        if (values_ != nullptr) {
          values_->push_back(*trainer.parameters().values());
        }
      }

     private:
      std::vector<float>* values_;
    } observer(communicator.rank() == 0 ? &values : nullptr);
    const std::atomic<int> stop = 0;
    Trainer(setup, communicator, {}, stop).run(observer);
  });
  return values;
}

TEST(Trainer, AnOverlappedAverageLandsAfterTheIterationsThatAreGiven) {
  Config config = small_config();  // rounds of three iterations
  config.sync.overlap = true;
  config.sync.overlap_iterations = 3;
  const std::vector<float> last = walk(config);
  for (const int after : {1, 2}) {
    config.sync.overlap_iterations = after;
    const std::vector<float> values = walk(config);
    ASSERT_EQ(values.size(), last.size());
    const std::ptrdiff_t at = 3 + std::ptrdiff_t{after};  // in the second round
    EXPECT_EQ(std::vector(values.begin(), values.begin() + at), std::vector(last.begin(), last.begin() + at));
    EXPECT_NE(values[static_cast<std::size_t>(at)], last[static_cast<std::size_t>(at)]);
  }
  config.sync.overlap_iterations.reset();  // a fifth of them
  EXPECT_EQ(iterations_under_way(config), 1);
  config.train.local_iterations = 50;
  EXPECT_EQ(iterations_under_way(config), 10);
}

TEST(Trainer, AnOverlappedAverageIsFollowedWhereItLands) {
  for (const Method method : {Method::resist, Method::local_sgd}) {
    Config config = small_config();
    config.train.method = method;
    config.sync.overlap = true;
    const std::vector<float> mean = walk(config);
    // So little momentum that what is agreed on is the mean, but for rounding.
    config.outer.momentum = 1e-9;
    const std::vector<float> followed = walk(config);
    config.outer.momentum = 0.9;
    const std::vector<float> ahead = walk(config);
    ASSERT_EQ(followed.size(), mean.size());
    for (std::size_t i = 0; i < mean.size(); ++i) {
      EXPECT_NEAR(followed[i], mean[i], 1e-5) << i;
    }
    EXPECT_GT(std::abs(ahead.back() - mean.back()), 1e-4);
  }
}

TEST(Trainer, AnAverageThatWasNeverUsedForTrainingIsTheSameOverlappedOrNot) {
  Config config = small_config();
  config.evaluation.eval_every = 1;  // every round is synchronised in full then
  config.sync.overlap = true;
  Config plain = config;
  plain.sync.overlap = false;
  EXPECT_EQ(train_in_process(config, 3)[0].values, train_in_process(plain, 3)[0].values);
}

TEST(Trainer, PayloadIsThePlansToTheByte) {
  for (const Method method : {Method::resist, Method::local_sgd, Method::data_parallel}) {
    for (const int workers : {1, 2, 3, 4}) {
      for (const MomentumSync momentum : {MomentumSync::reset, MomentumSync::carry, MomentumSync::average}) {
        if (method == Method::data_parallel && momentum != MomentumSync::carry) {
          continue;
        }
        Config config = small_config();
        config.train.method = method;
        config.train.momentum_sync = momentum;
        // One format for each kind of momentum.
        config.sync.compress = method == Method::data_parallel   ? Compression::none
                               : momentum == MomentumSync::reset ? Compression::none
                               : momentum == MomentumSync::carry ? Compression::int6
                                                                 : Compression::bf16;
        const TrainingSetup setup = prepare_training(config, 1);
        const auto trained = train_in_process(config, workers);
        ASSERT_EQ(trained[0].records.size(), 4U);
        for (const RoundRecord& record : trained[0].records) {
          const RoundPayload predicted = predict_round(config, setup.layout, workers, record.round - 1);
          EXPECT_EQ(record.worker_bytes_sent, predicted.sent);
          EXPECT_EQ(record.bytes_received,
                    std::accumulate(predicted.received.begin(), predicted.received.end(), std::int64_t{0}));
        }
      }
    }
  }
}

TEST(Trainer, WarmupHoldsEveryBlockAndThenShrinks) {
  Config config = small_config();
  config.train.warmup_epochs = 0.1;  // 40 samples: the first round
  const TrainingSetup setup = prepare_training(config, 1);
  run_in_process(2, [&](Communicator& communicator) {
    const std::atomic<int> stop = 0;
    Trainer trainer(setup, communicator, {}, stop);
    EXPECT_EQ(trainer.parameters().held().size(), 6U);
    EXPECT_EQ(trainer.block_scale(), (std::vector<double>{1.0}));
    RecordingObserver observer;
    observer.after_round = [](Trainer& now, const RoundRecord&) {
      EXPECT_EQ(now.parameters().held().size(), 4U);
      EXPECT_EQ(now.parameters().placement().arena.slots(), (std::vector<int>{4}));
      // The scale is that of the round just trained.
      EXPECT_EQ(now.block_scale(), (std::vector<double>{now.position().round == 1 ? 1.0 : 4.0 / 6}));
    };
    trainer.run(observer);
    EXPECT_EQ(observer.records.size(), 4U);
  });
}

TEST(Trainer, TheLastEpochsMayHoldEveryBlock) {
  Config config = small_config();
  config.train.full_depth_epochs = 0.12;  // 48 samples of 192: the last round
  const auto trained = train_in_process(config, 2);
  EXPECT_EQ(trained[0].values.size(), trained[1].values.size());
  const TrainingSetup setup = prepare_training(config, 1);
  run_in_process(2, [&](Communicator& communicator) {
    const std::atomic<int> stop = 0;
    Trainer trainer(setup, communicator, {}, stop);
    RecordingObserver observer;
    observer.after_round = [](Trainer& now, const RoundRecord& record) {
      const bool last = record.round >= 3;  // the placement is the next round's
      EXPECT_EQ(now.parameters().held().size(), last ? 6U : 4U) << record.round;
      EXPECT_EQ(now.block_scale(), (std::vector<double>{record.round == 4 ? 1.0 : 4.0 / 6}));
    };
    trainer.run(observer);
    EXPECT_EQ(observer.records.size(), 4U);
  });
}

TEST(Trainer, TheLeastDepthMayGrow) {
  Config config = small_config();
  config.partition.final_min_blocks = 6;
  const TrainingSetup setup = prepare_training(config, 1);
  run_in_process(2, [&](Communicator& communicator) {
    const std::atomic<int> stop = 0;
    Trainer trainer(setup, communicator, {}, stop);
    EXPECT_EQ(trainer.parameters().held().size(), 4U);
    RecordingObserver observer;
    std::vector<std::size_t> held;
    std::vector<double> scales;
    observer.after_round = [&](Trainer& now, const RoundRecord&) {
      held.push_back(now.parameters().held().size());  // in the next round
      scales.push_back(now.block_scale()[0]);          // of the round just trained
    };
    trainer.run(observer);
    EXPECT_EQ(held, (std::vector<std::size_t>{4, 5, 6, 6}));
    EXPECT_EQ(scales, (std::vector<double>{4.0 / 6, 4.0 / 6, 5.0 / 6, 1}));
  });
}

// At full depth every sub-network is the whole network.
TEST(Trainer, AnEnsembleIsOfWhatTheNextRoundDeals) {
  Config config = small_config();
  const double scaled = train_in_process(config, 2)[0].records.back().test_loss.value();
  config.evaluation.inference = Inference::ensemble;
  EXPECT_NE(train_in_process(config, 2)[0].records.back().test_loss.value(), scaled);
  config.train.full_depth_epochs = 0.12;
  const double ensemble = train_in_process(config, 2)[0].records.back().test_loss.value();
  config.evaluation.inference = Inference::scaled;
  EXPECT_EQ(ensemble, train_in_process(config, 2)[0].records.back().test_loss.value());
}

TEST(Trainer, RoundsMayLengthenAsTheLearningRateFalls) {
  Config config = small_config();
  config.train.rounds = 0;
  config.train.epochs = 2;  // 800 samples, 50 iterations of two workers
  config.train.schedule = Schedule::cosine;
  config.train.max_local_iterations = 12;
  const auto trained = train_in_process(config, 2);
  expect_agreement(trained);
  std::vector<std::int64_t> iterations;
  std::int64_t before = 0;
  for (const RoundRecord& record : trained[0].records) {
    iterations.push_back((record.samples - before) / 16);
    before = record.samples;
  }
  EXPECT_EQ(before, 800);
  EXPECT_EQ(iterations, (std::vector<std::int64_t>{3, 3, 3, 3, 4, 5, 7, 12, 10}));
}

// Who is slow holds fewer blocks in the next round; nothing else changes.
TEST(Trainer, FasterWorkersHoldMoreBlocks) {
  Config config = small_config();
  config.train.rounds = 6;
  config.evaluation.eval_every = 1;
  const TrainingSetup setup = setup_with_said_speeds(config, 3);
  const auto trained = train_in_process(setup, 3);
  ASSERT_EQ(trained[0].records.size(), 6U);
  Hands agreed = equal_hands(setup.decks, 3, dealing_rule(setup.config.partition));
  for (const RoundRecord& record : trained[0].records) {
    EXPECT_EQ(record.worker_blocks, agreed) << "round " << record.round;
    agreed = record.next_blocks.value();
    const auto slow = static_cast<std::size_t>(record.round / 2) % 3;
    EXPECT_EQ(agreed[slow][0], 1);
    EXPECT_EQ(agreed[0][0] + agreed[1][0] + agreed[2][0], 6);
    EXPECT_EQ(trained[1].records[static_cast<std::size_t>(record.round) - 1].next_blocks, agreed);
  }
  NamedValues all;
  for (const Trained& worker : trained) {
    for (const auto& [name, values] : worker.values) {
      EXPECT_EQ(all.emplace(name, values).first->second, values) << name;
    }
  }
  const auto again = train_in_process(setup, 3);
  for (int worker = 0; worker < 3; ++worker) {
    EXPECT_EQ(again[worker].values, trained[worker].values);
  }
}

TEST(Trainer, TheEvaluationsScaleIsTheMeanOfWhatWorkersHold) {
  const TrainingSetup setup = setup_with_said_speeds(small_config(), 3);
  run_in_process(3, [&](Communicator& communicator) {
    const std::atomic<int> stop = 0;
    Trainer trainer(setup, communicator, {}, stop);
    RecordingObserver observer;
    observer.after_round = [](Trainer& now, const RoundRecord& record) {
      double held = 0;
      for (const std::vector<int>& hand : *record.worker_blocks) {
        held += hand[0];
      }
      EXPECT_EQ(now.block_scale(), (std::vector<double>{held / (3 * 6)}));
      EXPECT_EQ(now.balance().paces.size(), 3U);
      EXPECT_EQ(now.balance().hands, record.next_blocks);
      EXPECT_EQ(now.parameters().held().size(), now.balance().hands[now.communicator().rank()][0]);
    };
    trainer.run(observer);
  });
}

// The clock says that all are equally fast, more or less, and a hand of one block can't be divided.
TEST(Trainer, WithTheClockHandsAreAllowedOnes) {
  Config config = small_config();
  config.partition.balance = Balance::speed;
  config.partition.min_blocks = 1;
  config.train.rounds = 8;
  const auto trained = train_in_process(config, 2);
  const TrainingSetup setup = prepare_training(config, 2);
  for (const RoundRecord& record : trained[0].records) {
    EXPECT_NO_THROW(check_hands(setup.decks, record.next_blocks.value(), dealing_rule(config.partition)));
  }
}

TEST(Trainer, ARoundThatIsNotFiniteIsDroppedAndNamed) {
  Config config = small_config();
  config.train.lr = 1e30;
  config.train.schedule = Schedule::constant;
  const auto trained = train_in_process(config, 2);
  for (const Trained& worker : trained) {
    ASSERT_TRUE(worker.result.non_finite.has_value());
    EXPECT_EQ(worker.result.non_finite->worker, 0);
    EXPECT_EQ(worker.result.non_finite->round, 1);
    EXPECT_EQ(worker.result.non_finite->iteration, 2);
    EXPECT_TRUE(worker.result.non_finite->in_loss);
    EXPECT_TRUE(worker.records.empty());
    EXPECT_EQ(worker.result.position.round, 0);
  }
}

TEST(Trainer, StopsAfterTheRoundInWhichOneWorkerWasTold) {
  const Config config = small_config();
  const TrainingSetup setup = prepare_training(config, 1);
  run_in_process(3, [&](Communicator& communicator) {
    std::atomic<int> stop = 0;
    Trainer trainer(setup, communicator, {}, stop);
    RecordingObserver observer;
    observer.after_round = [&](Trainer&, const RoundRecord& record) {
      if (record.round == 1 && communicator.rank() == 2) {
        stop = 15;
      }
    };
    const TrainingResult result = trainer.run(observer);
    EXPECT_EQ(result.stop_signal, 15);
    EXPECT_EQ(result.position.round, 2);
    EXPECT_FALSE(observer.records.back().accuracy.has_value());  // what time is left goes to the checkpoint
  });
}

TEST(Trainer, ExactModeAndSeveralSectionsTrain) {
  Config config = small_config();
  config.partition.partition = PartitionMode::exact;
  expect_agreement(train_in_process(config, 4));
  Config sections = small_config();
  sections.model.depths = {2, 3, 4, 3};
  sections.partition.partition_sections = {1, 2, 3, 4};
  sections.partition.partition_first_blocks = true;
  sections.partition.min_blocks = 1;
  const auto trained = train_in_process(sections, 2);
  expect_agreement(trained);
  EXPECT_TRUE(std::isfinite(trained[0].records.back().loss));
}

}  // namespace
}  // namespace resist
