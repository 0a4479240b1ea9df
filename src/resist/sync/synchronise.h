#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "resist/comm/communicator.h"
#include "resist/sync/sync_plan.h"

namespace resist {

// One worker's memory of a group of a plan.
struct GroupMemory {
  const float* source = nullptr;  // its values; null: it is not among their sources
  float* target = nullptr;        // where the result goes; null: it wants none
  const ResultSink* arrived = nullptr;
};

// The memory of all groups of a worker that holds in `live` what `now` says for rank `held_as`, and will hold in
// `staged` what `next` says for rank `worker`. Copies that it has or is to keep are the caller's to add.
std::vector<GroupMemory> group_memory(const Placement& now, int held_as, const float* live, const Placement& next,
                                      int worker, float* staged);

// What a worker remembers of the shared parameters where they travel as differences (exchange.h); null otherwise.
// Laid out as the shared part of an arena.
struct SharedMemory {
  const float* agreed = nullptr;  // what all agreed on last
  float* residual = nullptr;      // what rounding left over
};

// Carries out a plan: reads the groups' sources and writes their targets, which must not overlap. Blocks until this
// worker has all that it wants. Sources stay as they were, so a synchronisation that fails half way (CommError) loses
// nothing but the residuals and what `arrived` has changed; the caller installs the targets after all have agreed.
// `rounding_key`: as exchange() takes it. Returns what was moved.
Payload synchronise(Communicator& communicator, const SyncPlan& plan, std::span<const GroupMemory> memory,
                    std::uint32_t tag, const SharedMemory& shared = {}, std::uint64_t rounding_key = 0);

// What follows a worker without being sent (momentum `carry`, docs/algorithm.md): the shared part and the blocks that
// stay keep their values, arriving blocks are zero. `memory`: as group_memory() makes it; its two arenas may be one
// where they have the same slots.
void carry_over(const Layout& layout, std::span<const GroupMemory> memory);

}  // namespace resist
