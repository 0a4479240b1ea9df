#include "resist/train/travelling_blocks.h"

#include <torch/types.h>

#include <algorithm>
#include <array>
#include <span>

#include "resist/comm/tags.h"

namespace resist {

// Two blocks are under way: the one in use and the next.
struct TravellingBlocks::Visit {
  struct Lane {
    int block = -1;
    at::Tensor memory;  // where a visiting block arrives
    std::vector<std::unique_ptr<Transfer>> transfers;
  };
  std::array<Lane, 2> lanes;
  at::Tensor arena;
};

TravellingBlocks::TravellingBlocks(Communicator& communicator, WorkerParameters& parameters)
    : communicator_(communicator),
      parameters_(parameters),
      held_at_(parameters.layout().blocks.size(), -1),
      visits_(std::make_unique<Visit>()) {
  visits_->arena = at::from_blob(parameters.values(), {parameters.placement().arena.size()}, at::kFloat);
  const auto offsets = parameters.offsets();
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    held_at_[parameters.held()[i]] = offsets[i];
  }
}

TravellingBlocks::~TravellingBlocks() = default;

void TravellingBlocks::start(int block) {
  Visit::Lane& lane = visits_->lanes[block % 2];
  lane.block = block;
  const auto& holders = parameters_.placement().assignment.holders(block);
  const auto size = static_cast<std::size_t>(parameters_.layout().blocks[block].size);
  if (communicator_.rank() == holders.front()) {
    const std::span values(parameters_.values() + held_at_[block], size);
    for (int step = 1; step < communicator_.size(); ++step) {
      const int peer = (communicator_.rank() + step) % communicator_.size();
      if (!std::ranges::binary_search(holders, peer)) {
        lane.transfers.push_back(communicator_.send(std::as_bytes(values), peer, kEvaluationTag));
      }
    }
  } else if (held_at_[block] < 0) {
    if (!lane.memory.defined() || lane.memory.numel() < static_cast<std::int64_t>(size)) {
      lane.memory = at::empty({static_cast<std::int64_t>(size)}, at::kFloat);
    }
    const std::span values(lane.memory.data_ptr<float>(), size);
    lane.transfers.push_back(communicator_.receive(std::as_writable_bytes(values), holders.front(), kEvaluationTag));
  }
}

void TravellingBlocks::finish(int block) {
  Visit::Lane& lane = visits_->lanes[block % 2];
  for (const auto& transfer : lane.transfers) {
    transfer->wait();
  }
  lane.transfers.clear();
  lane.block = -1;
}

ParameterMemory TravellingBlocks::fetch(int block) {
  if (visits_->lanes[block % 2].block != block) {
    start(block);
  }
  finish(block);
  if (block + 1 < static_cast<int>(held_at_.size())) {
    start(block + 1);
  }
  if (held_at_[block] >= 0) {
    return {.values = visits_->arena, .offset = held_at_[block]};
  }
  return {.values = visits_->lanes[block % 2].memory};
}

}  // namespace resist
