#include "resist/plan/prediction.h"

#include <gtest/gtest.h>

#include <numeric>

namespace resist {
namespace {

NetworkSpec paper_network() {
  return {.depths = {3, 4, 23, 3}, .width = 64, .classes = 100};
}

Prediction predict_paper(Method method, int workers, const SyncOptions& sync = {}) {
  Config config;
  config.train.method = method;
  config.sync = sync;
  const NetworkSpec spec = paper_network();
  return predict(config, spec, make_layout(spec), workers, 3);
}

// The paper's "data per round", in GB.
TEST(Predict, HasThePapersBytesPerRound) {
  EXPECT_EQ(predict_paper(Method::local_sgd, 2).paper_bytes, 2LL * 2 * 41'396'900 * 4);
  EXPECT_EQ(predict_paper(Method::resist, 2).paper_bytes, 2LL * 2 * (15'422'116 + 11 * 1'180'672) * 4);
  const std::vector<int> workers = {2, 4, 8};
  const std::vector<double> local_sgd = {0.662, 1.325, 2.649};
  const std::vector<double> resist = {0.455, 0.720, 1.289};
  for (std::size_t i = 0; i < workers.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(predict_paper(Method::local_sgd, workers[i]).paper_bytes) / 1e9, local_sgd[i],
                6e-4);
    EXPECT_NEAR(static_cast<double>(predict_paper(Method::resist, workers[i]).paper_bytes) / 1e9, resist[i], 6e-4);
  }
}

TEST(Predict, ArenasHoldSlotsNotBlocks) {
  const MemoryPrediction memory = predict_paper(Method::resist, 4).memory;
  EXPECT_EQ(memory.arena, (15'422'116 + 6 * 1'180'672) * 4);
  EXPECT_EQ(memory.arenas, 3 * memory.arena);
  Config averaged;
  averaged.train.momentum_sync = MomentumSync::average;
  const NetworkSpec spec = paper_network();
  EXPECT_EQ(predict(averaged, spec, make_layout(spec), 4, 1).memory.arenas, 4 * memory.arena);
  const MemoryPrediction data_parallel = predict_paper(Method::data_parallel, 4).memory;
  EXPECT_EQ(data_parallel.arenas, 2 * data_parallel.arena) << "it averages gradients";
  const MemoryPrediction local = predict_paper(Method::local_sgd, 4).memory;
  EXPECT_GT(local.step, memory.step);  // more blocks, more activations
}

// Of S * k = 24 blocks the three others keep four each.
TEST(Predict, ABalancedWorkerMayHoldWhatTheOthersCanSpare) {
  Config config;
  config.partition.balance = Balance::speed;
  const NetworkSpec spec = paper_network();
  const Prediction balanced = predict(config, spec, make_layout(spec), 4, 3);
  EXPECT_EQ(balanced.slots, std::vector<int>{12});
  EXPECT_EQ(balanced.memory.arena, (15'422'116 + 12 * 1'180'672) * 4);
  EXPECT_EQ(balanced.payload_bytes, predict_paper(Method::resist, 4).payload_bytes) << "as long as all are as fast";
  config.partition.min_blocks = 1;
  EXPECT_EQ(predict(config, spec, make_layout(spec), 4, 3).slots, std::vector<int>{21});
}

TEST(Predict, ADepthThatGrowsTakesTheMemoryOfItsLastRound) {
  Config config;
  config.partition.final_min_blocks = 22;
  const NetworkSpec spec = paper_network();
  const Prediction grows = predict(config, spec, make_layout(spec), 4, 3);
  EXPECT_EQ(grows.slots, std::vector<int>{22});
  EXPECT_EQ(grows.memory.arena, 41'396'900LL * 4);
  EXPECT_GT(grows.payload_bytes[2], grows.payload_bytes[0]);
  EXPECT_EQ(grows.paper_bytes, predict_paper(Method::resist, 4).paper_bytes) << "as it starts";
}

TEST(Predict, AnOuterStepTakesMemoryWhereParametersAreAveraged) {
  Config config;
  config.outer.momentum = 0.4;
  const NetworkSpec spec = paper_network();
  const Layout layout = make_layout(spec);
  EXPECT_EQ(predict(config, spec, layout, 4, 1).memory.outer, 2LL * 15'422'116 * 4);
  config.sync.compress = Compression::int6;  // needs what was agreed on too
  EXPECT_EQ(predict(config, spec, layout, 4, 1).memory.outer, 1LL * 15'422'116 * 4);
  EXPECT_EQ(predict(config, spec, layout, 4, 1).memory.compress, 2LL * 15'422'116 * 4);
  config.sync.compress = Compression::none;
  config.train.method = Method::local_sgd;
  EXPECT_EQ(predict(config, spec, layout, 4, 1).memory.outer, 2LL * 41'396'900 * 4);
  config.train.method = Method::data_parallel;
  EXPECT_EQ(predict(config, spec, layout, 4, 1).memory.outer, 0);
}

TEST(Predict, MemoryOfASynchronisationIsItsChunks) {
  const std::int64_t chunks = predict_paper(Method::resist, 4).memory.synchronisation;
  EXPECT_GE(chunks, 3LL * 15'422'116 / 4 * 4);  // the values of three others of the part that a worker averages
  EXPECT_LT(chunks, 2 * 3LL * 15'422'116 / 4 * 4);
  EXPECT_EQ(predict_paper(Method::data_parallel, 4).memory.synchronisation, 0);  // it averages in every step
}

TEST(Predict, LocalSgdSendsTheMeansBytesAndDataParallelEveryIterations) {
  const auto local = predict_paper(Method::local_sgd, 4);
  EXPECT_EQ(local.payload_bytes[0], 4LL * 2 * 3 * 41'396'900 / 4 * 4);
  EXPECT_EQ(predict_paper(Method::data_parallel, 4).payload_bytes[0], 50 * local.payload_bytes[0]);
}

TEST(Predict, CompressionShrinksBytesAndBothOptionsAddMemory) {
  const auto plain = predict_paper(Method::resist, 4);
  const auto int6 = predict_paper(Method::resist, 4, {.compress = Compression::int6});
  // 6 of 32 bits and a byte for 128 weights; blocks 8 of 32.
  EXPECT_LT(int6.busiest_link_bytes[0], plain.busiest_link_bytes[0] * 22 / 100);
  EXPECT_GT(int6.busiest_link_bytes[0], plain.busiest_link_bytes[0] * 6 / 32);
  EXPECT_EQ(int6.memory.compress, 2LL * 15'422'116 * 4);
  const auto overlap = predict_paper(Method::resist, 4, {.overlap = true});
  EXPECT_EQ(overlap.payload_bytes, plain.payload_bytes);
  EXPECT_GE(overlap.memory.overlap, (2LL * 15'422'116 + 3LL * 15'422'116 / 4) * 4);
  EXPECT_EQ(overlap.memory.total(), plain.memory.total() + overlap.memory.overlap);
}

TEST(Predict, AveragedMomentumTakesTwiceTheBytes) {
  const NetworkSpec spec = paper_network();
  const Layout layout = make_layout(spec);
  Config config;
  config.sync.protect = Protection::none;  // copies are without momentum
  const auto once = predict_round(config, layout, 4, 2);
  config.train.momentum_sync = MomentumSync::average;
  const auto twice = predict_round(config, layout, 4, 2);
  for (int worker = 0; worker < 4; ++worker) {
    EXPECT_EQ(twice.sent[worker], 2 * once.sent[worker]);
    EXPECT_EQ(twice.received[worker], 2 * once.received[worker]);
  }
}

TEST(Predict, AloneNothingIsSent) {
  const Prediction prediction = predict_paper(Method::resist, 1);
  EXPECT_EQ(prediction.payload_bytes, (std::vector<std::int64_t>{0, 0, 0}));
  EXPECT_EQ(prediction.slots, (std::vector<int>{22}));
}

}  // namespace
}  // namespace resist
