#include "resist/plan/prediction.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "resist/model/activations.h"
#include "resist/partition/training_method.h"
#include "resist/sync/sync_plan.h"

namespace resist {
namespace {

constexpr std::int64_t kFloatBytes = sizeof(float);
constexpr std::int64_t kArenas = 4;  // values, gradients, momentum, staging

std::int64_t sum(const std::vector<std::int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), std::int64_t{0});
}

// What a round exchanges, and how often: parameters (and momentum) once, or gradients at every iteration.
struct RoundExchange {
  ExchangePlan plan;
  std::int64_t times;
};

RoundExchange round_exchange(const Config& config, const Layout& layout, int workers, std::int64_t round,
                             bool warmup = false) {
  const auto method = make_method(config, deck_sizes(layout), workers);
  const Placement now = make_placement(layout, *method, round, warmup);
  if (method->averages_gradients()) {
    const std::vector<int> all = everyone(workers);
    const Segment gradients{.size = now.arena.size(), .holders = all, .receivers = all};
    return {.plan = make_exchange_plan({gradients}, workers), .times = config.train.local_iterations};
  }
  const Placement next = make_placement(layout, *method, round + 1, warmup);
  return {.plan = make_sync_plan(layout, now, next, 0).exchange,
          .times = momentum_sync(config) == MomentumSync::average ? 2 : 1};
}

MemoryPrediction predict_memory(const Config& config, const NetworkSpec& spec, const Layout& layout, int workers,
                                bool warmup) {
  const auto method = make_method(config, deck_sizes(layout), workers);
  const Placement placement = make_placement(layout, *method, 0, warmup);
  MemoryPrediction memory;
  memory.arena = placement.arena.size() * kFloatBytes;
  memory.arenas = kArenas * memory.arena;
  for (int worker = 0; worker < workers; ++worker) {
    const std::int64_t per_sample = training_activations(spec, layout, placement.assignment.held(worker));
    memory.activations = std::max(memory.activations, per_sample * config.train.batch_size * kFloatBytes);
  }
  memory.evaluation = evaluation_activations(spec) * config.evaluation.eval_batch_size * kFloatBytes;
  const ExchangePlan exchange = round_exchange(config, layout, workers, 0, warmup).plan;
  for (int worker = 0; worker < workers; ++worker) {
    memory.in_flight = std::max(memory.in_flight, scratch_size(exchange, worker));
  }
  return memory;
}

}  // namespace

RoundPayload predict_round(const Config& config, const Layout& layout, int workers, std::int64_t round) {
  const RoundExchange exchange = round_exchange(config, layout, workers, round);
  RoundPayload payload;
  for (int worker = 0; worker < workers; ++worker) {
    const Traffic traffic = plan_traffic(exchange.plan, worker);
    payload.sent.push_back(exchange.times * sum(traffic.sent));
    payload.received.push_back(exchange.times * sum(traffic.received));
  }
  return payload;
}

Prediction predict(const Config& config, const NetworkSpec& spec, const Layout& layout, int workers,
                   std::int64_t rounds) {
  const auto method = make_method(config, deck_sizes(layout), workers);
  Prediction prediction{.workers = workers, .slots = method->slots(false)};
  prediction.memory = predict_memory(config, spec, layout, workers, false);
  if (config.train.method == Method::resist && config.train.warmup_epochs > 0) {
    prediction.warmup_memory = predict_memory(config, spec, layout, workers, true);
  }
  prediction.parameters_per_worker = prediction.memory.arena / kFloatBytes;
  const Assignment first = method->assignment(0, false);
  for (int worker = 0; worker < workers; ++worker) {
    std::int64_t held = layout.shared_size;
    for (const int block : first.held(worker)) {
      held += layout.blocks[block].size;
    }
    prediction.paper_bytes +=
        2 * held * kFloatBytes * (method->averages_gradients() ? config.train.local_iterations : 1);
  }
  for (std::int64_t round = 0; round < rounds; ++round) {
    const RoundPayload payload = predict_round(config, layout, workers, round);
    prediction.payload_bytes.push_back(sum(payload.sent));
    prediction.busiest_link_bytes.push_back(
        std::max(std::ranges::max(payload.sent), std::ranges::max(payload.received)));
  }
  return prediction;
}

}  // namespace resist
