#include "resist/sync/synchronise.h"

#include <algorithm>

namespace resist {

std::vector<GroupMemory> group_memory(const Placement& now, int held_as, const float* live, const Placement& next,
                                      int worker, float* staged) {
  std::vector<GroupMemory> memory(1 + static_cast<std::size_t>(next.assignment.blocks()));
  memory[0] = {.source = live, .target = staged};
  const auto& held = now.assignment.held(held_as);
  const auto sources = now.arena.block_offsets(held);
  for (std::size_t i = 0; i < held.size(); ++i) {
    memory[1 + held[i]].source = live + sources[i];
  }
  const auto& wanted = next.assignment.held(worker);
  const auto targets = next.arena.block_offsets(wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    memory[1 + wanted[i]].target = staged + targets[i];
  }
  return memory;
}

Payload synchronise(Communicator& communicator, const SyncPlan& plan, std::span<const GroupMemory> memory,
                    std::uint32_t tag, const SharedMemory& shared, std::uint64_t rounding_key) {
  std::vector<SegmentMemory> segments;
  segments.reserve(plan.origins.size());
  for (std::size_t i = 0; i < plan.origins.size(); ++i) {
    const SyncPlan::Origin& origin = plan.origins[i];
    const GroupMemory& group = memory[origin.group];
    SegmentMemory own{.source = group.source == nullptr ? nullptr : group.source + origin.offset,
                      .target = group.target == nullptr ? nullptr : group.target + origin.offset};
    if (origin.group == 0 && plan.exchange.segments[i].format != WireFormat::float32) {
      own.reference = shared.agreed + origin.offset;
      own.residual = shared.residual + origin.offset;
    }
    segments.push_back(own);
  }
  return exchange(communicator, plan.exchange, segments, tag, rounding_key);
}

void carry_over(const Layout& layout, const Placement& now, int held_as, const float* from, const Placement& next,
                int worker, float* to) {
  const std::vector<int>& held = now.assignment.held(held_as);
  const std::vector<int>& wanted = next.assignment.held(worker);
  const auto sources = now.arena.block_offsets(held);
  const auto targets = next.arena.block_offsets(wanted);
  // Where the block that will lie at targets[i] lies now; -1: it arrives.
  std::vector<std::int64_t> source_of(wanted.size(), -1);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto place = std::ranges::lower_bound(held, wanted[i]);
    if (place != held.end() && *place == wanted[i]) {
      source_of[i] = sources[place - held.begin()];
    }
  }
  const auto move = [&](std::size_t i) {
    std::copy_n(from + source_of[i], layout.blocks[wanted[i]].size, to + targets[i]);
  };
  if (from != to) {
    std::copy_n(from, layout.shared_size, to);
  }
  // Blocks keep their order. So one that goes down lands where at most one before it stood, which has gone down
  // already; and the other way round. In one memory nothing is lost.
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (source_of[i] > targets[i] || (source_of[i] == targets[i] && from != to)) {
      move(i);
    }
  }
  for (std::size_t i = wanted.size(); i-- > 0;) {
    if (source_of[i] >= 0 && source_of[i] < targets[i]) {
      move(i);
    }
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (source_of[i] < 0) {
      std::fill_n(to + targets[i], layout.blocks[wanted[i]].size, 0.0F);
    }
  }
}

}  // namespace resist
