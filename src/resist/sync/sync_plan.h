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
  bool last_section = true;  // its shared parameters too; otherwise each worker keeps its own
  bool copies = false;       // besides, see to a copy of every block that one worker alone will hold
};

// What --compress and --protect say.
SyncRule sync_rule(const SyncOptions& options);

// Whether workers have the same shared parameters after every round.
bool shared_always_agree(const SyncOptions& options);

// Whether round `round` (0-based) ends with an average of the last section's shared parameters.
bool last_section_due(const SyncOptions& options, std::int64_t round);

// Runs of the shared parameters that a synchronisation leaves as they are, ascending.
std::vector<Layout::Run> left_apart(const Layout& layout, const SyncRule& rule);

// Which workers' values a synchronisation starts from, by rank, ascending: what they agree on is the mean over them.
struct Sources {
  std::vector<int> shared;
  std::vector<std::vector<int>> blocks;  // per block, none of them empty
  // That each worker trained on since the last commit, by rank: a mean counts a source by its samples. Empty: as many.
  std::vector<std::int64_t> samples = {};
  // Those have the same shared parameters already, so only the others get them, an equal part from each.
  bool shared_agreed = false;
};

// All workers, and the holders of each block: a round in which nobody was lost.
Sources sources_of(const Assignment& assignment);

// What is exchanged in a synchronisation, the same on every worker. Group 0 is the shared parameters, group 1 + b is
// block b.
struct SyncPlan {
  // Where a segment of the exchange comes from.
  struct Origin {
    int group;
    std::int64_t offset;  // elements, within the group
  };
  ExchangePlan exchange;
  std::vector<Origin> origins;  // per segment
  std::vector<int> keepers;     // per block: who keeps a copy beside its next holder; -1: nobody
};

// The method (docs/algorithm.md): shared parameters become the mean over their sources, each block the mean over its
// sources, and each block goes straight from them to its next holders. Pure.
SyncPlan make_sync_plan(const Layout& layout, const Sources& now, const Assignment& next, const SyncRule& rule = {});

// For every block that only one worker will hold, another one that is to have its values as well: a source of it if
// there is one, since that costs no bytes; otherwise, for a block that stays where it is, the others in turn. So
// whichever worker is lost, every block is still there (docs/reliability.md). -1: several will hold it, or there is
// nobody else. Pure.
std::vector<int> choose_keepers(const std::vector<std::vector<int>>& sources,
                                const std::vector<std::vector<int>>& next_holders, int workers);

}  // namespace resist
