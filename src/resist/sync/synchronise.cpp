#include "resist/sync/synchronise.h"

#include <algorithm>
#include <functional>

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
                      .target = group.target == nullptr ? nullptr : group.target + origin.offset,
                      .arrived = group.arrived};
    if (origin.group == 0 && plan.exchange.segments[i].format != WireFormat::float32) {
      own.reference = shared.agreed + origin.offset;
      own.residual = shared.residual + origin.offset;
    }
    segments.push_back(own);
  }
  return exchange(communicator, plan.exchange, segments, tag, rounding_key);
}

void carry_over(const Layout& layout, std::span<const GroupMemory> memory) {
  if (memory[0].source != memory[0].target) {
    std::copy_n(memory[0].source, layout.shared_size, memory[0].target);
  }
  const auto move_if = [&](std::size_t block, const auto& goes) {
    const GroupMemory& group = memory[1 + block];
    if (group.source != nullptr && group.target != nullptr && goes(group.source, group.target)) {
      std::copy_n(group.source, layout.blocks[block].size, group.target);
    }
  };
  // Blocks keep their order. So one that goes down lands where at most one before it stood, which has gone down
  // already; and the other way round. In one memory nothing is lost.
  const std::size_t blocks = layout.blocks.size();
  for (std::size_t block = 0; block < blocks; ++block) {
    move_if(block, std::greater<const float*>());
  }
  for (std::size_t block = blocks; block-- > 0;) {
    move_if(block, std::less<const float*>());
  }
  for (std::size_t block = 0; block < blocks; ++block) {
    const GroupMemory& group = memory[1 + block];
    if (group.source == nullptr && group.target != nullptr) {
      std::fill_n(group.target, layout.blocks[block].size, 0.0F);
    }
  }
}

}  // namespace resist
