#include "resist/simulate/round_transfers.h"

#include <algorithm>
#include <utility>

#include "resist/partition/training_method.h"
#include "resist/sync/sync_plan.h"

namespace resist {
namespace {

// A group of parameters in one piece or, where its weights are compressed, in two (sync/sync_plan.cpp).
void add_group(std::int64_t weights, std::int64_t size, WireFormat format, const std::vector<int>& holders,
               const std::vector<int>& receivers, std::vector<Segment>& segments) {
  const std::int64_t compressed = format == WireFormat::float32 ? 0 : weights;
  if (compressed > 0) {
    segments.push_back({.size = compressed, .holders = holders, .receivers = receivers, .format = format});
  }
  if (size > compressed) {
    segments.push_back({.size = size - compressed, .holders = holders, .receivers = receivers});
  }
}

RoundTransfer transfer_of(const Layout& layout, const Handover& handover, const SyncRule& rule) {
  RoundTransfer transfer;
  if (rule.scope != SyncScope::blocks) {
    add_group(layout.shared_weights_size, layout.shared_size, rule.shared, handover.trained, everyone(handover.workers),
              transfer.segments);
  }
  for (std::size_t block = 0; block < layout.blocks.size() && rule.scope != SyncScope::shared; ++block) {
    add_group(layout.blocks[block].weights_size, layout.blocks[block].size, rule.blocks, handover.holders[block],
              handover.receivers[block], transfer.segments);
  }
  return transfer;
}

double group_bytes(const Config& config, std::int64_t weights, std::int64_t size, WireFormat format) {
  const std::int64_t compressed = format == WireFormat::float32 ? 0 : weights;
  const std::int64_t once = encoded_size(format, compressed) + encoded_size(WireFormat::float32, size - compressed);
  const bool momentum = momentum_sync(config) == MomentumSync::average || config.train.method == Method::data_parallel;
  return static_cast<double>(once + (momentum ? encoded_size(WireFormat::float32, size) : 0));
}

// Parameters and momentum, which gradients keep the same everywhere, for those that join: each gets them from another
// one of the others, as far as there are enough.
RoundTransfer state_transfer(const Layout& layout, const Handover& handover) {
  RoundTransfer transfer;
  for (int rank = 0; rank < handover.workers; ++rank) {
    if (!std::ranges::binary_search(handover.trained, rank)) {
      const int sender = handover.trained[transfer.segments.size() % handover.trained.size()];
      transfer.segments.push_back({.size = 2 * layout.total_size(), .holders = {sender}, .receivers = {rank}});
    }
  }
  return transfer;
}

}  // namespace

std::vector<RoundTransfer> round_transfers(const Config& config, const Layout& layout, const Handover& handover) {
  std::vector<RoundTransfer> transfers;
  if (config.train.method == Method::data_parallel) {
    std::int64_t size = layout.shared_size;
    for (const Deck& deck : layout.decks) {
      size += deck.count * deck.slot_size;
    }
    transfers.push_back({.segments = {{.size = size, .holders = handover.trained, .receivers = handover.trained}},
                         .times = static_cast<double>(config.train.local_iterations)});
    if (std::cmp_less(handover.trained.size(), handover.workers)) {
      transfers.push_back(state_transfer(layout, handover));
    }
    return transfers;
  }
  SyncRule rule = sync_rule(config.sync);
  if (config.sync.overlap) {
    rule.scope = SyncScope::blocks;
    transfers.push_back(transfer_of(layout, handover, rule));
    rule.scope = SyncScope::shared;
    transfers.push_back(transfer_of(layout, handover, rule));
    transfers.back().hidden = true;
  } else {
    transfers.push_back(transfer_of(layout, handover, rule));
  }
  if (momentum_sync(config) == MomentumSync::average) {
    transfers.push_back(transfer_of(layout, handover, {}));
  }
  return transfers;
}

double block_bytes(const Config& config, const Layout& layout, int block) {
  const BlockLayout& of = layout.blocks[static_cast<std::size_t>(block)];
  return group_bytes(config, of.weights_size, of.size, sync_rule(config.sync).blocks);
}

double shared_bytes(const Config& config, const Layout& layout) {
  return group_bytes(config, layout.shared_weights_size, layout.shared_size, sync_rule(config.sync).shared);
}

}  // namespace resist
