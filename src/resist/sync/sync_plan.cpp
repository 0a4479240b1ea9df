#include "resist/sync/sync_plan.h"

#include <tuple>
#include <utility>

namespace resist {

Placement make_placement(const Layout& layout, const TrainingMethod& method, std::int64_t round, bool warmup) {
  return {.assignment = method.assignment(round, warmup), .arena = ArenaLayout(layout, method.slots(warmup))};
}

SyncRule sync_rule(Compression compression) {
  switch (compression) {
    case Compression::none:
      return {};
    case Compression::bf16:
      return {.shared = WireFormat::bf16, .blocks = WireFormat::bf16};
    case Compression::int8:
      return {.shared = WireFormat::int8, .blocks = WireFormat::int8};
    case Compression::int6:
      return {.shared = WireFormat::int6, .blocks = WireFormat::int8};
    case Compression::int4:
      return {.shared = WireFormat::int4, .blocks = WireFormat::int8};
  }
  return {};
}

namespace {

// Collects the segments of an exchange, each group's in one piece or, where its weights are compressed, in two.
class Segments {
 public:
  void add(int group, std::int64_t weights, std::int64_t size, WireFormat format, const std::vector<int>& holders,
           const std::vector<int>& receivers) {
    const std::int64_t compressed = format == WireFormat::float32 ? 0 : weights;
    for (const auto& [begin, end, wire] :
         {std::tuple(std::int64_t{0}, compressed, format), std::tuple(compressed, size, WireFormat::float32)}) {
      if (end > begin) {
        segments.push_back({.size = end - begin, .holders = holders, .receivers = receivers, .format = wire});
        origins.push_back({.group = group, .offset = begin});
      }
    }
  }

  std::vector<Segment> segments;
  std::vector<SyncPlan::Origin> origins;
};

}  // namespace

SyncPlan make_sync_plan(const Layout& layout, const Placement& now, const Placement& next, int worker,
                        const SyncRule& rule) {
  const int workers = now.assignment.workers();
  Segments parts;
  if (rule.scope != SyncScope::blocks) {
    const std::vector<int> all = everyone(workers);
    parts.add(0, layout.shared_weights_size, layout.shared_size, rule.shared, all, all);
  }
  for (int block = 0; block < now.assignment.blocks() && rule.scope != SyncScope::shared; ++block) {
    parts.add(1 + block, layout.blocks[block].weights_size, layout.blocks[block].size, rule.blocks,
              now.assignment.holders(block), next.assignment.holders(block));
  }

  SyncPlan plan;
  plan.origins = std::move(parts.origins);
  plan.places.resize(1 + static_cast<std::size_t>(now.assignment.blocks()));
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
  plan.exchange = make_exchange_plan(std::move(parts.segments), workers);
  return plan;
}

}  // namespace resist
