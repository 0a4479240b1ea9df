#include "resist/train/round_sync.h"

#include <algorithm>
#include <utility>

#include "resist/comm/tags.h"
#include "resist/core/random.h"
#include "resist/sync/synchronise.h"

namespace resist {

RoundSync::RoundSync(const TrainingSetup& setup, Communicator& communicator, WorkerParameters& parameters)
    : setup_(setup), communicator_(communicator), parameters_(parameters) {
  const auto size = static_cast<std::size_t>(setup.layout.shared_size);
  if (setup.config.sync.compress != Compression::none) {
    agreed_.resize(size);
    residual_.resize(size);
  }
  if (setup.config.sync.overlap) {
    sent_.resize(size);
    mean_.resize(size);
    SyncRule rule = sync_rule(setup.config.sync.compress);
    rule.scope = SyncScope::shared;
    const Placement& any = parameters.placement();
    average_ = make_sync_plan(setup.layout, any, any, communicator.rank(), rule);
  }
}

RoundSync::~RoundSync() {
  if (under_way_.joinable()) {
    under_way_.join();
  }
}

void RoundSync::agree() {
  std::copy_n(parameters_.values(), agreed_.size(), agreed_.begin());
}

Payload RoundSync::land() {
  if (!under_way_.joinable()) {
    return {};
  }
  under_way_.join();
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  float* values = parameters_.values();
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    values[i] += mean_[i] - sent_[i];
  }
  if (!agreed_.empty()) {
    std::swap(agreed_, mean_);
  }
  return landed_;
}

Payload RoundSync::synchronise(const Placement& next, std::int64_t round, bool in_full) {
  const bool overlapped = setup_.config.sync.overlap && !in_full;
  SyncRule rule = sync_rule(setup_.config.sync.compress);
  rule.scope = overlapped ? SyncScope::blocks : SyncScope::all;
  const SyncPlan plan = make_sync_plan(setup_.layout, parameters_.placement(), next, communicator_.rank(), rule);
  const std::uint32_t tag = round_tag(round);
  float* staged = parameters_.stage(next.arena);
  if (overlapped) {
    std::copy_n(parameters_.values(), setup_.layout.shared_size, staged);
  }
  Payload payload = resist::synchronise(communicator_, plan, parameters_.values(), staged, tag, shared_memory(),
                                        rounding_key(round, rule.scope));
  const MomentumSync momentum = momentum_sync(setup_.config);
  if (momentum == MomentumSync::average) {
    const bool compressed = setup_.config.sync.compress != Compression::none;
    const SyncPlan exact =
        compressed ? make_sync_plan(setup_.layout, parameters_.placement(), next, communicator_.rank()) : plan;
    payload +=
        resist::synchronise(communicator_, exact, parameters_.momentum(), parameters_.stage_momentum(next.arena), tag);
  } else if (momentum == MomentumSync::carry) {
    carry_over(setup_.layout, plan, parameters_.momentum(), parameters_.stage_momentum(next.arena), next.arena.size());
  }
  communicator_.barrier();  // the commit: whoever passes knows that all have staged
  parameters_.install(next);
  if (overlapped) {
    due_ = round;
  } else {
    agree();
  }
  return payload;
}

void RoundSync::set_out() {
  if (due_ < 0) {
    return;
  }
  std::copy_n(parameters_.values(), sent_.size(), sent_.begin());
  under_way_ = std::thread([this, round = std::exchange(due_, -1)] {
    try {
      landed_ = resist::synchronise(communicator_, average_, sent_.data(), mean_.data(), round_tag(round),
                                    shared_memory(), rounding_key(round, SyncScope::shared));
    } catch (...) {
      failure_ = std::current_exception();
    }
  });
}

std::uint64_t RoundSync::rounding_key(std::int64_t round, SyncScope scope) const {
  RandomStream random(setup_.config.train.seed, RandomPurpose::rounding,
                      {.stream = static_cast<std::uint32_t>(scope), .position = static_cast<std::uint32_t>(round)});
  const std::uint64_t high = random.next();
  return high << 32U | random.next();
}

}  // namespace resist
