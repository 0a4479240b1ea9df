#include "resist/plan/round_exchanges.h"

#include <memory>

#include "resist/partition/training_method.h"
#include "resist/sync/sync_plan.h"

namespace resist {

std::vector<RoundExchange> round_exchanges(const Config& config, const Layout& layout, int workers, std::int64_t round,
                                           bool in_full, bool warmup, const Hands& hands) {
  const auto method = make_method(config, deck_sizes(layout), workers, hands);
  const Placement now = make_placement(layout, *method, round, warmup);
  if (method->averages_gradients()) {
    const std::vector<int> all = everyone(workers);
    const Segment gradients{.size = now.arena.size(), .holders = all, .receivers = all};
    return {{.plan = make_exchange_plan({gradients}, workers), .times = config.train.local_iterations}};
  }
  const Placement next = make_placement(layout, *method, round + 1, warmup);
  const Sources sources = sources_of(now.assignment);
  const bool last_section = in_full || config.sync.last_section_every == 1;
  std::vector<RoundExchange> exchanges;
  const auto add = [&](SyncRule rule, SyncScope scope, bool hidden) {
    rule.scope = scope;
    rule.last_section = last_section;
    exchanges.push_back({.plan = make_sync_plan(layout, sources, next.assignment, rule).exchange, .hidden = hidden});
  };
  if (config.sync.overlap && !in_full) {
    add(sync_rule(config.sync), SyncScope::blocks, /*hidden=*/false);
    add(sync_rule(config.sync), SyncScope::shared, /*hidden=*/true);
  } else {
    add(sync_rule(config.sync), SyncScope::all, /*hidden=*/false);
  }
  if (momentum_sync(config) == MomentumSync::average) {
    add({}, SyncScope::all, /*hidden=*/false);
  }
  return exchanges;
}

}  // namespace resist
