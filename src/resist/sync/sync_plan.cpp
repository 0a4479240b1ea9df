#include "resist/sync/sync_plan.h"

#include <utility>

namespace resist {

Placement make_placement(const Layout& layout, const TrainingMethod& method, std::int64_t round, bool warmup) {
  return {.assignment = method.assignment(round, warmup), .arena = ArenaLayout(layout, method.slots(warmup))};
}

SyncPlan make_sync_plan(const Layout& layout, const Placement& now, const Placement& next, int worker) {
  const int workers = now.assignment.workers();
  const std::vector<int> all = everyone(workers);
  std::vector<Segment> segments = {{.size = layout.shared_size, .holders = all, .receivers = all}};
  for (int block = 0; block < now.assignment.blocks(); ++block) {
    segments.push_back({.size = layout.blocks[block].size,
                        .holders = now.assignment.holders(block),
                        .receivers = next.assignment.holders(block)});
  }

  SyncPlan plan;
  plan.places.resize(segments.size());
  plan.places[0] = {.source = 0, .target = 0};
  const auto& held = now.assignment.held(worker);
  const auto sources = now.arena.block_offsets(held);
  for (std::size_t i = 0; i < held.size(); ++i) {
    plan.places[1 + held[i]].source = sources[i];
  }
  const auto& wanted = next.assignment.held(worker);
  const auto targets = next.arena.block_offsets(wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    plan.places[1 + wanted[i]].target = targets[i];
  }
  plan.exchange = make_exchange_plan(std::move(segments), workers);
  return plan;
}

}  // namespace resist
