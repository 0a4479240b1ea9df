#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "resist/sync/sync_plan.h"

namespace resist {

// What one worker brings into a generation whose workers are not those of the one before.
struct Survivor {
  std::int64_t iterations = 0;  // since the last commit; 0: it has what was committed
  int placed_as = -1;           // its rank in the assignment of that commit; -1: it joins, and has nothing
};

// When workers have the same shared parameters.
enum class Agreement {
  at_each_iteration,  // data-parallel
  at_commits,
  never,  // averages land later (--overlap) or leave parts out (--last-section-every)
};

// Where the values of a synchronisation come from when not everybody is left who held them (docs/reliability.md).
struct Mending {
  Sources sources;           // by rank in the new generation
  std::vector<bool> copied;  // per block: its source has it as a copy, not in its arena
  std::vector<int> lost;     // blocks that nobody has; worker 0 is their source, and takes them from a checkpoint
};

// Shared parameters come from those that have trained. A block comes from its holders that have trained, else from one
// that has its committed values: a holder, or the keeper of its copy. `before` and `keepers` are those of the last
// commit, by rank in it. Where workers agree at each iteration everything comes from the one that is farthest. Pure.
Mending find_sources(const Assignment& before, const std::vector<int>& keepers, const std::vector<Survivor>& survivors,
                     Agreement agreement);

// For those that join and can't know what came before: `workers` and `blocks` say how long it is.
std::vector<std::byte> encode(const Mending& mending, int workers);
Mending decode_mending(std::span<const std::byte> bytes, int workers, int blocks);
std::size_t encoded_mending_size(int workers, int blocks);

}  // namespace resist
