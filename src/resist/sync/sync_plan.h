#pragma once

#include <cstdint>
#include <vector>

#include "resist/comm/exchange.h"
#include "resist/model/arena_layout.h"
#include "resist/partition/training_method.h"

namespace resist {

// Who holds what and where it lies, in one round.
struct Placement {
  Assignment assignment;
  ArenaLayout arena;  // the same for all workers
};

Placement make_placement(const Layout& layout, const TrainingMethod& method, std::int64_t round, bool warmup);

enum class SyncScope { all, shared, blocks };

// What a synchronisation sends, and how.
struct SyncRule {
  // Of weights; norm parameters and biases always travel as float32. Blocks: 8 bits or more, since their rounding adds
  // up from holder to holder.
  WireFormat shared = WireFormat::float32;
  WireFormat blocks = WireFormat::float32;
  SyncScope scope = SyncScope::all;
};

// What --compress says.
SyncRule sync_rule(Compression compression);

// One worker's view of a synchronisation: what is exchanged, and where in its arenas. The exchange is the same on every
// worker. Group 0 is the shared parameters, group 1 + b is block b.
struct SyncPlan {
  struct Place {
    std::int64_t source = -1;  // offset in the live arena of this round; -1: not held
    std::int64_t target = -1;  // offset in the staged arena of the next round; -1: not wanted
  };
  // Where a segment of the exchange comes from.
  struct Origin {
    int group;
    std::int64_t offset;  // elements, within the group
  };
  ExchangePlan exchange;
  std::vector<Place> places;    // per group
  std::vector<Origin> origins;  // per segment
};

// The method (docs/algorithm.md): shared parameters become the mean over workers, each block the mean over its holders,
// and each block goes straight from its holders to its next holders. Pure.
SyncPlan make_sync_plan(const Layout& layout, const Placement& now, const Placement& next, int worker,
                        const SyncRule& rule = {});

}  // namespace resist
