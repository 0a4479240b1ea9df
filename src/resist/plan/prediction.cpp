#include "resist/plan/prediction.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "resist/model/activations.h"
#include "resist/partition/schedule.h"
#include "resist/partition/training_method.h"
#include "resist/plan/round_exchanges.h"
#include "resist/sync/block_visits.h"
#include "resist/sync/sync_plan.h"

namespace resist {
namespace {

constexpr std::int64_t kFloatBytes = sizeof(float);

std::int64_t sum(const std::vector<std::int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), std::int64_t{0});
}

std::int64_t most_scratch(const ExchangePlan& plan) {
  std::int64_t most = 0;
  for (int worker = 0; worker < plan.workers; ++worker) {
    most = std::max(most, scratch_size(plan, worker));
  }
  return most;
}

// What a backward pass has under way at a time: gradients of a block's input, branch and shortcut where feature maps
// are largest, and of the largest weight, as it is made and as autograd hands it over.
std::int64_t gradients_under_way(const NetworkSpec& spec, const Layout& layout, std::int64_t batch) {
  std::int64_t largest = 0;
  for (const Parameter& parameter : layout.shared) {
    largest = std::max(largest, parameter.size);
  }
  return 3 * feature_map(spec, 1) * batch * (spec.bf16 ? 2 : kFloatBytes) + 2 * largest * kFloatBytes;
}

// Most that one worker keeps of blocks that another one holds, over some rounds.
std::int64_t most_copies(const Layout& layout, const TrainingMethod& method, int workers, bool warmup) {
  constexpr int kRounds = 10;
  std::int64_t most = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Sources now = sources_of(method.assignment(round, warmup));
    const Sources next = sources_of(method.assignment(round + 1, warmup));
    const auto keepers = choose_keepers(now.blocks, next.blocks, workers);
    std::vector<std::int64_t> kept(static_cast<std::size_t>(workers));
    for (std::size_t block = 0; block < keepers.size(); ++block) {
      if (keepers[block] >= 0) {
        kept[keepers[block]] += layout.blocks[block].size * kFloatBytes;
      }
    }
    most = std::max(most, std::ranges::max(kept));
  }
  return most;
}

// The worst that --balance may come to: the first worker is so fast that the others keep the least.
Hands most_uneven_hands(const Config& config, const std::vector<DeckSize>& decks, int workers) {
  if (config.partition.balance == Balance::none || config.train.method != Method::resist) {
    return {};
  }
  const DealingRule rule = dealing_rule(config.partition);
  Hands hands = least_hands(decks, workers, rule);
  for (std::size_t deck = 0; deck < decks.size(); ++deck) {
    int left = workers * (blocks_per_worker(decks[deck].blocks, workers, rule) - hands[0][deck]);
    for (std::vector<int>& hand : hands) {
      const int more = std::min(left, decks[deck].blocks - hand[deck]);
      hand[deck] += more;
      left -= more;
    }
  }
  return hands;
}

MemoryPrediction predict_memory(const Config& config, const NetworkSpec& spec, const Layout& layout, int workers,
                                bool warmup) {
  const std::vector<DeckSize> decks = deck_sizes(layout);
  const auto method = make_method(config, decks, workers, most_uneven_hands(config, decks, workers));
  const Placement placement = make_placement(layout, *method, 0, warmup);
  MemoryPrediction memory;
  memory.arena = placement.arena.size() * kFloatBytes;
  memory.arenas = 2 * memory.arena;
  const std::int64_t batch = config.train.batch_size;
  std::int64_t activations = 0;
  for (int worker = 0; worker < workers; ++worker) {
    activations = std::max(activations, training_activations(spec, layout, placement.assignment.held(worker)));
  }
  const std::int64_t activation_bytes = spec.bf16 ? 2 : kFloatBytes;
  memory.bf16 = spec.bf16 ? memory.arena / 2 : 0;
  memory.step = activations * batch * activation_bytes + gradients_under_way(spec, layout, batch) +
                convolution_scratch(spec, batch, true);
  const std::int64_t eval_batch = config.evaluation.eval_batch_size;
  memory.evaluation = evaluation_activations(spec) * eval_batch * activation_bytes +
                      convolution_scratch(spec, eval_batch, false) +
                      visiting_size(layout, placement.assignment) * kFloatBytes;
  std::int64_t chunks = 0;
  for (const RoundExchange& exchange : round_exchanges(config, layout, workers, 0, /*in_full=*/true, warmup)) {
    chunks = std::max(chunks, most_scratch(exchange.plan));
  }
  if (method->averages_gradients()) {
    memory.step += memory.arena + chunks;
    return memory;  // what follows is for the mean of parameters
  }
  // Staged momentum does not take turns with a step: an arena lies outside of the heap, which keeps what a step used.
  memory.arenas += (momentum_sync(config) == MomentumSync::average ? 2 : 1) * memory.arena;
  memory.synchronisation = chunks;
  if (config.sync.protect == Protection::buddy) {
    memory.protect = most_copies(layout, *method, workers, warmup);
    memory.synchronisation += memory.protect;  // the next round's, while this one's are still there
  }
  const std::int64_t shared = layout.shared_size * kFloatBytes;
  std::int64_t agreed = 0;  // one copy serves both
  if (config.sync.compress != Compression::none) {
    agreed = shared;
    memory.compress = agreed + shared;
  }
  if (config.outer.used()) {
    const bool deals = config.train.method == Method::resist;
    const std::int64_t followed = deals ? shared : memory.arena;
    memory.outer = (followed - agreed) + followed;
  }
  if (config.sync.overlap) {
    SyncRule rule = sync_rule(config.sync);
    rule.scope = SyncScope::shared;
    const SyncPlan average = make_sync_plan(layout, sources_of(placement.assignment), placement.assignment, rule);
    memory.overlap = 2 * shared + most_scratch(average.exchange);
  }
  return memory;
}

}  // namespace

RoundPayload predict_round(const Config& config, const Layout& layout, int workers, std::int64_t round, bool in_full) {
  RoundPayload payload{.sent = std::vector<std::int64_t>(static_cast<std::size_t>(workers)),
                       .received = std::vector<std::int64_t>(static_cast<std::size_t>(workers))};
  const bool with_last_section = in_full || last_section_due(config.sync, round);
  for (const RoundExchange& exchange : round_exchanges(config, layout, workers, round, with_last_section)) {
    const std::vector<Traffic> traffic = plan_traffic(exchange.plan);
    for (int worker = 0; worker < workers; ++worker) {
      payload.sent[worker] += exchange.times * sum(traffic[worker].sent);
      payload.received[worker] += exchange.times * sum(traffic[worker].received);
    }
  }
  return payload;
}

Prediction predict(const Config& config, const NetworkSpec& spec, const Layout& layout, int workers,
                   std::int64_t rounds) {
  const std::vector<DeckSize> decks = deck_sizes(layout);
  const auto method = make_method(config_at(config, 0), decks, workers);
  const Config last = config_at(config, 1);  // nobody ever holds more
  Prediction prediction{
      .workers = workers,
      .slots = make_method(last, decks, workers, most_uneven_hands(last, decks, workers))->slots(false)};
  prediction.memory = predict_memory(last, spec, layout, workers, false);
  if (config.train.method == Method::resist && epochs_at_full_depth(config.train) > 0) {
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
    const double share_done = (static_cast<double>(round) + 0.5) / static_cast<double>(rounds);
    const RoundPayload payload = predict_round(config_at(config, share_done), layout, workers, round,
                                               agreement_due(config, round + 1, rounds + 1));
    prediction.payload_bytes.push_back(sum(payload.sent));
    prediction.busiest_link_bytes.push_back(
        std::max(std::ranges::max(payload.sent), std::ranges::max(payload.received)));
  }
  return prediction;
}

}  // namespace resist
