#include "resist/simulate/exchange_model.h"

#include <gtest/gtest.h>

#include "resist/plan/prediction.h"
#include "simulate/simulated.h"

namespace resist {
namespace {

Handover handover_of(const Assignment& now, const Assignment& next) {
  Handover handover{.workers = now.workers(), .trained = everyone(now.workers()), .holders = {}, .receivers = {}};
  for (int block = 0; block < now.blocks(); ++block) {
    handover.holders.push_back(now.holders(block));
    handover.receivers.push_back(next.holders(block));
  }
  return handover;
}

ExchangeCost cost_of(Simulated& simulated, ExchangeDetail detail, std::int64_t round) {
  simulated.options.exchange = detail;
  const SimulationSetup setup = simulated.setup();
  const int workers = simulated.options.cluster.workers;
  const BlockDealing dealing(simulated.config, simulated.layout, simulated.options, workers);
  ExchangeModel model(simulated.config, simulated.layout, simulated.options, dealing, setup.cluster);
  const std::vector<int> members = everyone(workers);
  const Handover handover = handover_of(dealing.deal(members, round), dealing.deal(members, round + 1));
  return model.cost(round_transfers(simulated.config, simulated.layout, handover).front(), 0, members);
}

TEST(ExchangeModel, BytesAreThePlans) {
  for (const int workers : {2, 4, 16}) {
    for (const Compression compression : {Compression::none, Compression::int6}) {
      Simulated simulated;
      simulated.workers(workers).config.sync.compress = compression;
      const RoundPayload payload = predict_round(simulated.config, simulated.layout, workers, 3);
      double all = 0;
      double busiest = 0;
      for (int worker = 0; worker < workers; ++worker) {
        all += static_cast<double>(payload.sent[worker]);
        busiest = std::max(busiest, static_cast<double>(std::max(payload.sent[worker], payload.received[worker])));
      }
      const ExchangeCost cost = cost_of(simulated, ExchangeDetail::exact, 3);
      EXPECT_NEAR(cost.bytes, all, 1e-4 * all);
      EXPECT_NEAR(cost.busiest_link_bytes, busiest, 1e-4 * busiest);
    }
  }
}

// Rounds other than the one that the aggregate is measured on; beyond 128 workers it is measured on some of them.
TEST(ExchangeModel, TheAggregateIsNearTheExactTime) {
  for (const int workers : {4, 8, 16, 32, 40, 100, 200}) {
    for (const double spread : {0.0, 0.1, 0.4}) {
      for (const double latency : {0.0, 0.002}) {
        Simulated simulated;
        simulated.workers(workers).options.cluster.bandwidth_spread = spread;
        simulated.options.cluster.latencies = {latency};
        const double exact = cost_of(simulated, ExchangeDetail::exact, 5).seconds;
        const double aggregate = cost_of(simulated, ExchangeDetail::aggregate, 5).seconds;
        EXPECT_NEAR(aggregate, exact, (workers < 16 ? 0.1 : 0.04) * exact)
            << workers << " workers, spread " << spread << ", latency " << latency;
      }
    }
  }
}

TEST(ExchangeModel, AUplinkThatAllShareIsTheBottleneck) {
  Simulated simulated;
  simulated.workers(40).options.cluster.sites = 2;
  simulated.options.cluster.uplink_bandwidth = 1e9;
  const double flat = cost_of(simulated, ExchangeDetail::automatic, 1).seconds;
  simulated.options.hierarchical = true;
  const double hierarchical = cost_of(simulated, ExchangeDetail::automatic, 1).seconds;
  // 20 workers' halves of all they hold, twice, over one link; then the whole network about once.
  EXPECT_GT(flat, 20 * 0.5 * 2 * static_cast<double>(simulated.layout.shared_size) * 4 * kByteSeconds);
  EXPECT_LT(hierarchical, flat / 4);
  EXPECT_GT(hierarchical, static_cast<double>(simulated.layout.total_size()) * 4 * kByteSeconds);
}

TEST(ExchangeModel, AloneNothingIsExchanged) {
  Simulated simulated;
  const ExchangeCost cost = cost_of(simulated.workers(1), ExchangeDetail::automatic, 0);
  EXPECT_EQ(cost.seconds, 0);
  EXPECT_EQ(cost.bytes, 0);
}

}  // namespace
}  // namespace resist
