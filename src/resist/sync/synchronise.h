#pragma once

#include <cstdint>

#include "resist/comm/communicator.h"
#include "resist/sync/sync_plan.h"

namespace resist {

// What a worker remembers of the shared parameters where they travel as differences (exchange.h); null otherwise.
// Laid out as the shared part of an arena.
struct SharedMemory {
  const float* agreed = nullptr;  // what all agreed on last
  float* residual = nullptr;      // what rounding left over
};

// Carries out a plan: reads `live` (this round's arena) and writes `staged` (the next round's), which must not overlap.
// Blocks until this worker has all its next values. `live` stays as it was, so a synchronisation that fails half way
// (CommError) loses nothing but the residuals; the caller installs `staged` after all have agreed. `rounding_key`: as
// exchange() takes it. Returns what was moved.
Payload synchronise(Communicator& communicator, const SyncPlan& plan, const float* live, float* staged,
                    std::uint32_t tag, const SharedMemory& shared = {}, std::uint64_t rounding_key = 0);

// What follows a worker without being sent: the shared part and the blocks that stay keep their values, arriving blocks
// are zero (momentum `carry`, docs/algorithm.md). `staged` has `size` elements.
void carry_over(const Layout& layout, const SyncPlan& plan, const float* live, float* staged, std::int64_t size);

}  // namespace resist
