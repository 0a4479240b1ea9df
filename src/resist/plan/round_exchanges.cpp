#include "resist/plan/round_exchanges.h"

#include <memory>
#include <utility>

#include "resist/partition/training_method.h"
#include "resist/sync/sync_plan.h"

namespace resist {
namespace {

std::vector<RoundExchange> with_scopes(const Config& config, const Layout& layout, int workers, std::int64_t round,
                                       bool warmup, const Hands& hands,
                                       const std::vector<std::pair<SyncScope, bool>>& scopes) {
  const auto method = make_method(config, deck_sizes(layout), workers, hands);
  const Placement now = make_placement(layout, *method, round, warmup);
  if (method->averages_gradients()) {
    const std::vector<int> all = everyone(workers);
    const Segment gradients{.size = now.arena.size(), .holders = all, .receivers = all};
    return {{.plan = make_exchange_plan({gradients}, workers), .times = config.train.local_iterations}};
  }
  const Placement next = make_placement(layout, *method, round + 1, warmup);
  const Sources sources = sources_of(now.assignment);
  std::vector<RoundExchange> exchanges;
  for (const auto& [scope, hidden] : scopes) {
    SyncRule rule = sync_rule(config.sync);
    rule.scope = scope;
    rule.last_section = last_section_due(config.sync, round);
    exchanges.push_back({.plan = make_sync_plan(layout, sources, next.assignment, rule).exchange, .hidden = hidden});
  }
  if (momentum_sync(config) == MomentumSync::average) {
    exchanges.push_back({.plan = make_sync_plan(layout, sources, next.assignment,
                                                {.last_section = last_section_due(config.sync, round)})
                                     .exchange});
  }
  return exchanges;
}

}  // namespace

std::vector<RoundExchange> round_exchanges(const Config& config, const Layout& layout, int workers, std::int64_t round,
                                           bool warmup, const Hands& hands) {
  return with_scopes(config, layout, workers, round, warmup, hands, {{SyncScope::all, false}});
}

std::vector<RoundExchange> exchanges_under_way(const Config& config, const Layout& layout, int workers,
                                               std::int64_t round, bool warmup, const Hands& hands) {
  if (!config.sync.overlap) {
    return round_exchanges(config, layout, workers, round, warmup, hands);
  }
  return with_scopes(config, layout, workers, round, warmup, hands,
                     {{SyncScope::blocks, false}, {SyncScope::shared, true}});
}

}  // namespace resist
