#include "resist/train/full_pass.h"

#include <torch/types.h>

#include <algorithm>
#include <exception>

#include "resist/comm/agreement.h"
#include "resist/comm/collectives.h"
#include "resist/comm/tags.h"
#include "resist/core/error.h"
#include "resist/model/activations.h"
#include "resist/train/step_parts.h"

namespace resist {

// A batch between two layers.
struct FullPass::InFlight {
  std::int64_t of_share;
  std::vector<at::Tensor> activations;  // for each network that takes part
  at::Tensor labels;
};

namespace {

std::vector<double> scale_per_block(const Layout& layout, const std::vector<double>& per_deck) {
  std::vector<double> scale;
  for (std::size_t deck = 0; deck < layout.decks.size(); ++deck) {
    scale.insert(scale.end(), layout.decks[deck].count, per_deck[deck]);
  }
  return scale;
}

std::vector<std::vector<double>> member_scales(const Layout& layout, const Ensemble& ensemble) {
  const std::vector<double> held = scale_per_block(layout, ensemble.block_scale);
  std::vector<std::vector<double>> scales(static_cast<std::size_t>(ensemble.members.workers()),
                                          std::vector<double>(held.size()));
  for (std::size_t member = 0; member < scales.size(); ++member) {
    for (const int block : ensemble.members.held(static_cast<int>(member))) {
      scales[member][block] = held[block];
    }
  }
  return scales;
}

}  // namespace

FullPass::FullPass(Communicator& communicator, Network& network, BlockSource& blocks, const EvaluationJob& job)
    : communicator_(communicator), network_(network), blocks_(blocks), job_(job) {
  for (const Network::Position& position : network_.positions()) {
    (position.block < 0 && dealt_.empty() ? before_ : dealt_).push_back(position);
  }
  if (job_.ensemble == nullptr) {
    scales_.push_back(scale_per_block(job_.layout, job_.block_scale));
  } else {
    scales_ = member_scales(job_.layout, *job_.ensemble);
  }
}

std::int64_t FullPass::share() const {
  return (job_.batches.count() + communicator_.size() - 1) / communicator_.size();
}

// Batches whose activations, held while blocks pass by, take no more memory than a training step's.
std::int64_t FullPass::super_batch() const {
  const std::int64_t of_one =
      evaluation_super_batch(network_.spec(), job_.layout, job_.train_batch_size, job_.batches.size(0));
  return std::max<std::int64_t>(1, of_one / std::ssize(scales_));
}

at::Tensor FullPass::logits(const std::vector<at::Tensor>& activations) const {
  at::Tensor sum = network_.head(activations.front());
  for (std::size_t i = 1; i < activations.size(); ++i) {
    sum += network_.head(activations[i]);
  }
  return (activations.size() == 1 ? sum : sum / static_cast<double>(activations.size())).cpu();
}

std::int64_t FullPass::batch_index(std::int64_t of_share) const {
  return of_share * communicator_.size() + communicator_.rank();
}

void FullPass::run(const std::function<void(std::int64_t)>& before,
                   const std::function<void(std::int64_t, const at::Tensor&, const at::Tensor&)>& done) {
  const at::NoGradGuard no_gradients;
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
      at::Tensor x = network_.stem(images_of(network_.spec(), batch_));
      for (const Network::Position& position : before_) {
        x = network_.apply(position, x, 1.0);
      }
      batches.push_back({.of_share = i,
                         .activations = std::vector<at::Tensor>(scales_.size(), x),
                         .labels = labels_of(batch_).clone()});
    }
    for (const Network::Position& position : dealt_) {
      if (position.block >= 0) {
        network_.bind_block(position.block, blocks_.fetch(position.block));
      }
      for (InFlight& batch : batches) {
        before(batch.of_share);
        for (std::size_t i = 0; i < scales_.size(); ++i) {
          const double scale = position.block < 0 ? 1.0 : scales_[i][position.block];
          // Who lacks a first block's branch still goes through its shortcut, which is shared.
          if (scale != 0 || position.index == 0) {
            batch.activations[i] = network_.apply(position, batch.activations[i], scale);
          }
        }
      }
      if (position.block >= 0) {
        network_.unbind_block(position.block);
      }
    }
    for (const InFlight& batch : batches) {
      before(batch.of_share);
      done(batch.of_share, logits(batch.activations), batch.labels);
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
