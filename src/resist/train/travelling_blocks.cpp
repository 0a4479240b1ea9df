#include "resist/train/travelling_blocks.h"

#include <torch/types.h>

#include <algorithm>
#include <span>

#include "resist/comm/tags.h"
#include "resist/sync/block_visits.h"

namespace resist {

struct TravellingBlocks::Visit {
  at::Tensor memory;  // where a block arrives that is not held
  std::vector<std::unique_ptr<Transfer>> transfers;
};

struct TravellingBlocks::Held {
  at::Tensor arena;
  std::vector<std::int64_t> at;  // per block: its place there, or -1
};

TravellingBlocks::TravellingBlocks(Communicator& communicator, WorkerParameters& parameters)
    : communicator_(communicator),
      parameters_(parameters),
      held_(std::make_unique<Held>(
          Held{.arena = at::from_blob(parameters.values(), {parameters.placement().arena.size()}, at::kFloat),
               .at = std::vector<std::int64_t>(parameters.layout().blocks.size(), -1)})),
      senders_(visit_senders(parameters.layout(), parameters.placement().assignment)),
      visits_(static_cast<std::size_t>(visits_under_way(communicator.size()))) {
  const auto offsets = parameters.offsets();
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    held_->at[parameters.held()[i]] = offsets[i];
  }
}

TravellingBlocks::~TravellingBlocks() = default;

TravellingBlocks::Visit& TravellingBlocks::visit(int block) {
  return visits_[static_cast<std::size_t>(block) % visits_.size()];
}

void TravellingBlocks::start(int block) {
  Visit& starting = visit(block);
  const auto& holders = parameters_.placement().assignment.holders(block);
  const auto size = static_cast<std::size_t>(parameters_.layout().blocks[block].size);
  if (communicator_.rank() == senders_[block]) {
    const std::span values(parameters_.values() + held_->at[block], size);
    for (int step = 1; step < communicator_.size(); ++step) {
      const int peer = (communicator_.rank() + step) % communicator_.size();
      if (!std::ranges::binary_search(holders, peer)) {
        starting.transfers.push_back(communicator_.send(std::as_bytes(values), peer, kEvaluationTag));
      }
    }
  } else if (held_->at[block] < 0) {
    if (!starting.memory.defined() || starting.memory.numel() < static_cast<std::int64_t>(size)) {
      starting.memory = at::empty({static_cast<std::int64_t>(size)}, at::kFloat);
    }
    const std::span values(starting.memory.data_ptr<float>(), size);
    starting.transfers.push_back(
        communicator_.receive(std::as_writable_bytes(values), senders_[block], kEvaluationTag));
  }
}

ParameterMemory TravellingBlocks::fetch(int block) {
  if (block == 0) {
    started_ = 0;
  }
  const int blocks = static_cast<int>(held_->at.size());
  for (; started_ < std::min(block + static_cast<int>(visits_.size()), blocks); ++started_) {
    start(started_);
  }
  Visit& here = visit(block);
  for (const auto& transfer : here.transfers) {
    transfer->wait();
  }
  here.transfers.clear();
  if (held_->at[block] < 0) {
    return {.values = here.memory};
  }
  return {.values = held_->arena, .offset = held_->at[block]};
}

}  // namespace resist
