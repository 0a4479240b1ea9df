#include "resist/train/full_pass.h"

#include <torch/types.h>

#include <algorithm>
#include <exception>

#include "resist/comm/agreement.h"
#include "resist/comm/collectives.h"
#include "resist/comm/tags.h"
#include "resist/core/error.h"
#include "resist/model/activations.h"

namespace resist {

// A batch between two layers.
struct FullPass::InFlight {
  std::int64_t of_share;
  at::Tensor activations;
  at::Tensor labels;
};

FullPass::FullPass(Communicator& communicator, Network& network, BlockSource& blocks, const EvaluationJob& job)
    : communicator_(communicator), network_(network), blocks_(blocks), job_(job) {
  for (const Network::Position& position : network_.positions()) {
    (position.block < 0 && dealt_.empty() ? before_ : dealt_).push_back(position);
  }
  for (const Deck& deck : job_.layout.decks) {
    scale_.insert(scale_.end(), deck.count, job_.block_scale[&deck - job_.layout.decks.data()]);
  }
}

std::int64_t FullPass::share() const {
  return (job_.batches.count() + communicator_.size() - 1) / communicator_.size();
}

// Batches whose activations, held while blocks pass by, take no more memory than a training step's.
std::int64_t FullPass::super_batch() const {
  return evaluation_super_batch(network_.spec(), job_.layout, job_.train_batch_size, job_.batches.size(0));
}

std::int64_t FullPass::batch_index(std::int64_t of_share) const {
  return of_share * communicator_.size() + communicator_.rank();
}

void FullPass::run(const std::function<void(std::int64_t)>& before,
                   const std::function<void(std::int64_t, const at::Tensor&, const at::Tensor&)>& done) {
  const at::NoGradGuard no_gradients;
  const NetworkSpec& spec = network_.spec();
  network_.use_statistics(job_.statistics);
  std::exception_ptr failure;
  // A worker with no batch left still takes part in the blocks' visits.
  for (std::int64_t first = 0; first < share(); first += super_batch()) {
    std::vector<InFlight> batches;
    for (std::int64_t i = first; i < std::min(first + super_batch(), share()); ++i) {
      if (batch_index(i) >= job_.batches.count()) {
        break;
      }
      try {
        job_.batches.read(batch_index(i), batch_, job_.loader_threads);
      } catch (const InputError&) {
        failure = failure ? failure : std::current_exception();
        continue;
      }
      if (batch_.size() == 0) {
        continue;
      }
      before(i);
      at::Tensor x = network_.stem(at::from_blob(
          batch_.pixels.data(), {batch_.size(), spec.channels, spec.height, spec.image_width}, at::kFloat));
      for (const Network::Position& position : before_) {
        x = network_.apply(position, x, 1.0);
      }
      batches.push_back({.of_share = i,
                         .activations = std::move(x),
                         .labels = at::from_blob(batch_.labels.data(), {batch_.size()}, at::kLong).clone()});
    }
    for (const Network::Position& position : dealt_) {
      if (position.block >= 0) {
        network_.bind_block(position.block, blocks_.fetch(position.block));
      }
      for (InFlight& batch : batches) {
        before(batch.of_share);
        batch.activations =
            network_.apply(position, batch.activations, position.block < 0 ? 1.0 : scale_[position.block]);
      }
      if (position.block >= 0) {
        network_.unbind_block(position.block);
      }
    }
    for (const InFlight& batch : batches) {
      before(batch.of_share);
      done(batch.of_share, network_.head(batch.activations), batch.labels);
    }
  }
  network_.use_statistics(nullptr);
  agree_on_failure(communicator_, failure);
}

std::vector<std::byte> FullPass::gather(std::span<const std::byte> rows, std::size_t width) const {
  const auto workers = static_cast<std::size_t>(communicator_.size());
  const auto share = static_cast<std::size_t>(this->share());
  std::vector<std::byte> by_worker(share * width * workers);
  all_gather_bytes(communicator_, rows, by_worker, kEvaluationTag);
  std::vector<std::byte> by_batch(static_cast<std::size_t>(job_.batches.count()) * width);
  for (std::size_t batch = 0; batch < static_cast<std::size_t>(job_.batches.count()); ++batch) {
    const std::size_t row = batch % workers * share + batch / workers;
    std::copy_n(by_worker.begin() + static_cast<std::ptrdiff_t>(row * width), width,
                by_batch.begin() + static_cast<std::ptrdiff_t>(batch * width));
  }
  return by_batch;
}

}  // namespace resist
