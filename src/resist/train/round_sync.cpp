#include "resist/train/round_sync.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "resist/comm/tags.h"
#include "resist/core/random.h"
#include "resist/sync/synchronise.h"
#include "resist/train/sgd.h"

namespace resist {
namespace {

std::int64_t largest_block(const Layout& layout) {
  std::int64_t largest = 0;
  for (const BlockLayout& block : layout.blocks) {
    largest = std::max(largest, block.size);
  }
  return largest;
}

}  // namespace

RoundSync::RoundSync(const TrainingSetup& setup, Communicator& communicator, WorkerParameters& parameters)
    : setup_(setup), communicator_(&communicator), parameters_(parameters), keepers_(setup.layout.blocks.size(), -1) {
  const auto size = static_cast<std::size_t>(setup.layout.shared_size);
  if (setup.config.sync.compress != Compression::none) {
    agreed_.resize(size);
    residual_.resize(size);
  }
  if (setup.config.outer.used()) {
    const bool deals = setup.config.train.method == Method::resist;
    agreed_.resize(deals ? size : static_cast<std::size_t>(parameters.placement().arena.size()));
    outer_momentum_.resize(agreed_.size());
  }
  if (setup.config.sync.overlap) {
    sent_.resize(size);
    mean_.resize(size);
    plan_average({});
  }
}

RoundSync::~RoundSync() {
  if (under_way_.joinable()) {
    under_way_.join();
  }
}

void RoundSync::plan_average(const std::vector<std::int64_t>& samples) {
  SyncRule rule = sync_rule(setup_.config.sync);
  rule.scope = SyncScope::shared;
  const Sources all{.shared = everyone(communicator_->size()), .blocks = {}, .samples = samples};
  average_ = make_sync_plan(setup_.layout, all, Assignment(std::vector<std::vector<int>>(all.shared.size()), 0), rule);
  average_samples_ = samples;
}

void RoundSync::agree() {
  std::copy_n(parameters_.values(), agreed_.size(), agreed_.begin());
}

// Takes a stretch of a mean as what all agree on, from `first` on in an arena; with an outer step what follows it is,
// and replaces it.
void RoundSync::agree_on(float* mean, std::int64_t first, std::int64_t count) {
  if (outer_momentum_.empty()) {
    std::copy_n(mean, count, agreed_.begin() + first);
    return;
  }
  const OuterOptions& options = setup_.config.outer;
  const SgdOptions outer{.lr = static_cast<float>(options.lr),
                         .momentum = static_cast<float>(options.momentum),
                         .weight_decay = 0,
                         .nesterov = options.nesterov};
  std::array<float, 4096> gradient{};  // a piece at a time
  for (std::int64_t done = 0; done < count;) {
    const std::int64_t size = std::min<std::int64_t>(gradient.size(), count - done);
    float* agreed = agreed_.data() + first + done;
    std::transform(agreed, agreed + size, mean + done, gradient.begin(), std::minus<>());
    sgd_step(outer, size, gradient.data(), outer_momentum_.data() + first + done, agreed);
    std::copy_n(agreed, size, mean + done);
    done += size;
  }
}

void RoundSync::enter(Communicator& communicator) {
  if (under_way_.joinable()) {
    under_way_.join();
  }
  failure_ = nullptr;
  due_ = -1;
  next_due_ = -1;
  std::ranges::fill(residual_, 0.0F);
  std::ranges::fill(outer_momentum_, 0.0F);
  communicator_ = &communicator;
  if (setup_.config.sync.overlap) {
    plan_average({});
  }
}

Payload RoundSync::land() {
  if (!under_way_.joinable()) {
    return {};
  }
  under_way_.join();
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  if (!agreed_.empty()) {
    agree_on(mean_.data(), 0, setup_.layout.shared_size);
  }
  float* values = parameters_.values();
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    values[i] += mean_[i] - sent_[i];
  }
  return landed_;
}

Payload RoundSync::stage(const Placement& next, std::int64_t round, const std::vector<std::int64_t>& samples,
                         bool in_full) {
  const bool overlapped = setup_.config.sync.overlap && !in_full;
  SyncRule rule = sync_rule(setup_.config.sync);
  rule.scope = overlapped ? SyncScope::blocks : SyncScope::all;
  rule.last_section = in_full || last_section_due(setup_.config.sync, round);
  const std::vector<Layout::Run> apart = left_apart(setup_.layout, rule);
  const Placement& now = parameters_.placement();
  Sources sources = sources_of(now.assignment);
  sources.samples = samples;
  const SyncPlan plan = make_sync_plan(setup_.layout, sources, next.assignment, rule);
  const std::uint32_t tag = round_tag(round);
  float* staged = parameters_.stage(next.arena);
  auto memory = group_memory(now, parameters_.worker(), parameters_.values(), next, communicator_->rank(), staged);
  const ResultSink agree = [&](float* mean, std::int64_t count) { agree_on(mean, mean - staged, count); };
  for (GroupMemory& group : memory) {
    if (group.target != nullptr && group.target - staged < std::ssize(agreed_)) {
      group.arrived = &agree;
    }
  }
  stage_copies(plan, memory);
  if (overlapped) {
    std::copy_n(memory[0].source, setup_.layout.shared_size, memory[0].target);
    if (samples != average_samples_) {
      plan_average(samples);
    }
  }
  Payload payload =
      resist::synchronise(*communicator_, plan, memory, tag, shared_memory(), rounding_key(round, rule.scope));
  for (const auto& [begin, end] : apart) {
    std::copy(memory[0].source + begin, memory[0].source + end, memory[0].target + begin);
  }
  if (momentum_sync(setup_.config) == MomentumSync::average) {
    const auto of_momentum = group_memory(now, parameters_.worker(), parameters_.momentum(), next,
                                          communicator_->rank(), parameters_.stage_momentum(next.arena));
    payload += resist::synchronise(
        *communicator_, make_sync_plan(setup_.layout, sources, next.assignment, {.last_section = rule.last_section}),
        of_momentum, tag);
    for (const auto& [begin, end] : apart) {
      std::copy(of_momentum[0].source + begin, of_momentum[0].source + end, of_momentum[0].target + begin);
    }
  }
  keep_for_commit(next, overlapped ? round : -1);
  return payload;
}

Payload RoundSync::stage(const Placement& next, std::int64_t round, const Mending& mending) {
  const Placement& now = parameters_.placement();
  const std::uint32_t tag = round_tag(round);
  Payload payload;
  const auto move = [&](std::vector<GroupMemory>& memory, const SyncPlan& plan) {
    const Sources& sources = mending.sources;
    if (sources.shared_agreed && std::ranges::binary_search(sources.shared, communicator_->rank())) {
      std::copy_n(memory[0].source, setup_.layout.shared_size, memory[0].target);
    }
    payload += resist::synchronise(*communicator_, plan, memory, tag);
  };
  auto memory = group_memory(now, parameters_.worker(), parameters_.values(), next, communicator_->rank(),
                             parameters_.stage(next.arena));
  for (std::size_t block = 0; block < mending.copied.size(); ++block) {
    if (mending.copied[block]) {
      memory[1 + block].source = copy(static_cast<int>(block));
    }
  }
  SyncRule rule{.copies = sync_rule(setup_.config.sync).copies};
  const SyncPlan plan = make_sync_plan(setup_.layout, mending.sources, next.assignment, rule);
  stage_copies(plan, memory);
  move(memory, plan);
  std::copy_n(memory[0].target, agreed_.size(), agreed_.begin());

  const bool alike = setup_.config.train.method == Method::data_parallel;
  if (alike || momentum_sync(setup_.config) == MomentumSync::average) {
    auto of_momentum = group_memory(now, parameters_.worker(), parameters_.momentum(), next, communicator_->rank(),
                                    parameters_.stage_momentum(next.arena));
    // A copy has none, so it starts at zero again.
    const std::vector<float> zeros(static_cast<std::size_t>(largest_block(setup_.layout)));
    for (std::size_t block = 0; block < mending.copied.size(); ++block) {
      if (mending.copied[block]) {
        of_momentum[1 + block].source = zeros.data();
      }
    }
    rule.copies = false;
    move(of_momentum, make_sync_plan(setup_.layout, mending.sources, next.assignment, rule));
  }
  keep_for_commit(next, -1);
  return payload;
}

void RoundSync::keep_for_commit(const Placement& next, std::int64_t due) {
  next_ = std::make_unique<Placement>(next);
  next_rank_ = communicator_->rank();
  next_due_ = due;
}

void RoundSync::commit() {
  parameters_.install(*next_, next_rank_);
  if (setup_.config.train.method == Method::data_parallel) {
    parameters_.release_staged();  // it stages only where workers are lost or join
  }
  next_.reset();
  copies_ = std::exchange(next_copies_, {});
  keepers_ = std::move(next_keepers_);
  due_ = next_due_;
}

void RoundSync::stage_copies(const SyncPlan& plan, std::vector<GroupMemory>& memory) {
  next_copies_.clear();
  next_keepers_ = plan.keepers;
  for (std::size_t block = 0; block < plan.keepers.size(); ++block) {
    if (plan.keepers[block] == communicator_->rank()) {
      auto& copy = next_copies_[static_cast<int>(block)];
      copy.resize(static_cast<std::size_t>(setup_.layout.blocks[block].size));
      memory[1 + block].target = copy.data();
    }
  }
}

const float* RoundSync::copy(int block) const {
  const auto found = copies_.find(block);
  return found == copies_.end() ? nullptr : found->second.data();
}

std::span<float> RoundSync::restored(int block) {
  auto& copy = copies_[block];
  copy.resize(static_cast<std::size_t>(setup_.layout.blocks[block].size));
  return copy;
}

void RoundSync::set_out() {
  if (due_ < 0) {
    return;
  }
  std::copy_n(parameters_.values(), sent_.size(), sent_.begin());
  under_way_ = std::thread([this, round = std::exchange(due_, -1)] {
    try {
      landed_ = resist::synchronise(*communicator_, average_,
                                    std::vector<GroupMemory>{{.source = sent_.data(), .target = mean_.data()}},
                                    round_tag(round), shared_memory(), rounding_key(round, SyncScope::shared));
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
