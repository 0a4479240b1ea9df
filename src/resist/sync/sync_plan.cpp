#include "resist/sync/sync_plan.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace resist {

Placement make_placement(const Layout& layout, const TrainingMethod& method, std::int64_t round, bool warmup) {
  return {.assignment = method.assignment(round, warmup), .arena = ArenaLayout(layout, method.slots(warmup))};
}

SyncRule sync_rule(const SyncOptions& options) {
  SyncRule rule{.copies = options.protect == Protection::buddy};
  switch (options.compress) {
    case Compression::none:
      break;
    case Compression::bf16:
      rule.shared = rule.blocks = WireFormat::bf16;
      break;
    case Compression::int8:
      rule.shared = rule.blocks = WireFormat::int8;
      break;
    case Compression::int6:
      rule.shared = WireFormat::int6;
      rule.blocks = WireFormat::int8;
      break;
    case Compression::int4:
      rule.shared = WireFormat::int4;
      rule.blocks = WireFormat::int8;
      break;
  }
  return rule;
}

bool shared_always_agree(const SyncOptions& options) {
  return !options.overlap && options.last_section_every == 1;
}

bool last_section_due(const SyncOptions& options, std::int64_t round) {
  return (round + 1) % options.last_section_every == 0;
}

std::vector<Layout::Run> left_apart(const Layout& layout, const SyncRule& rule) {
  return rule.last_section ? std::vector<Layout::Run>{} : layout.last_section;
}

Sources sources_of(const Assignment& assignment) {
  Sources sources{.shared = everyone(assignment.workers()), .blocks = {}};
  for (int block = 0; block < assignment.blocks(); ++block) {
    sources.blocks.push_back(assignment.holders(block));
  }
  return sources;
}

namespace {

// What is left of a run without those of `holes`, ascending.
std::vector<Layout::Run> without(const std::vector<Layout::Run>& holes, Layout::Run run) {
  std::vector<Layout::Run> left;
  for (const Layout::Run& hole : holes) {
    left.push_back({.begin = run.begin, .end = std::min(hole.begin, run.end)});
    run.begin = std::max(run.begin, hole.end);
  }
  left.push_back(run);
  std::erase_if(left, [](const Layout::Run& piece) { return piece.begin >= piece.end; });
  return left;
}

// Empty where the holders count alike: all have trained on as many samples, or some on none.
std::vector<float> weights_of(const std::vector<int>& holders, const std::vector<std::int64_t>& samples) {
  if (samples.empty()) {
    return {};
  }
  std::vector<float> weights;
  weights.reserve(holders.size());
  for (const int holder : holders) {
    weights.push_back(static_cast<float>(samples[holder]));
  }
  const bool alike = std::ranges::all_of(weights, [&](float weight) { return weight == weights.front(); });
  return alike || std::ranges::count(weights, 0.0F) > 0 ? std::vector<float>{} : weights;
}

// Collects the segments of an exchange: each group's in one piece or, where its weights are compressed, in two; what
// is left apart lies between pieces.
class Segments {
 public:
  void add_part(int group, std::int64_t begin, std::int64_t end, int holder, const std::vector<int>& receivers) {
    segments.push_back({.size = end - begin, .holders = {holder}, .receivers = receivers});
    origins.push_back({.group = group, .offset = begin});
  }

  void add(int group, std::int64_t weights, std::int64_t size, WireFormat format, const std::vector<int>& holders,
           const std::vector<std::int64_t>& samples, const std::vector<int>& receivers,
           const std::vector<Layout::Run>& apart = {}) {
    const std::int64_t compressed = format == WireFormat::float32 ? 0 : weights;
    for (const auto& [from, to, wire] :
         {std::tuple(std::int64_t{0}, compressed, format), std::tuple(compressed, size, WireFormat::float32)}) {
      for (const auto& [begin, end] : without(apart, {.begin = from, .end = to})) {
        segments.push_back({.size = end - begin,
                            .holders = holders,
                            .receivers = receivers,
                            .format = wire,
                            .weights = weights_of(holders, samples)});
        origins.push_back({.group = group, .offset = begin});
      }
    }
  }

  std::vector<Segment> segments;
  std::vector<SyncPlan::Origin> origins;
};

// A part of the shared parameters from each that has them, to all that don't.
void hand_on_shared(const Layout& layout, const std::vector<int>& sources, int workers, Segments& parts) {
  std::vector<int> others;
  std::ranges::set_difference(everyone(workers), sources, std::back_inserter(others));
  const auto count = static_cast<std::int64_t>(sources.size());
  for (std::int64_t n = 0; n < count && !others.empty(); ++n) {
    parts.add_part(0, layout.shared_size * n / count, layout.shared_size * (n + 1) / count, sources[n], others);
  }
}

// The next holders of a block, and who keeps a copy.
std::vector<int> receivers_of(const std::vector<int>& holders, int keeper) {
  std::vector<int> receivers = holders;
  if (keeper >= 0) {
    receivers.insert(std::ranges::lower_bound(receivers, keeper), keeper);
  }
  return receivers;
}

}  // namespace

std::vector<int> choose_keepers(const std::vector<std::vector<int>>& sources,
                                const std::vector<std::vector<int>>& next_holders, int workers) {
  std::vector<int> keepers(sources.size(), -1);
  std::vector<int> stayed(static_cast<std::size_t>(workers), 0);  // per worker: its blocks that another one keeps too
  for (std::size_t block = 0; block < next_holders.size() && workers > 1; ++block) {
    if (next_holders[block].size() > 1) {
      continue;
    }
    const int holder = next_holders[block].front();
    const auto source = std::ranges::find_if(sources[block], [&](int worker) { return worker != holder; });
    keepers[block] =
        source != sources[block].end() ? *source : (holder + 1 + stayed[holder]++ % (workers - 1)) % workers;
  }
  return keepers;
}

SyncPlan make_sync_plan(const Layout& layout, const Sources& now, const Assignment& next, const SyncRule& rule) {
  SyncPlan plan;
  plan.keepers = rule.copies ? choose_keepers(now.blocks, sources_of(next).blocks, next.workers())
                             : std::vector<int>(now.blocks.size(), -1);
  Segments parts;
  if (now.shared_agreed) {
    hand_on_shared(layout, now.shared, next.workers(), parts);
  } else if (rule.scope != SyncScope::blocks) {
    parts.add(0, layout.shared_weights_size, layout.shared_size, rule.shared, now.shared, now.samples,
              everyone(next.workers()), left_apart(layout, rule));
  }
  for (int block = 0; block < next.blocks() && rule.scope != SyncScope::shared; ++block) {
    parts.add(1 + block, layout.blocks[block].weights_size, layout.blocks[block].size, rule.blocks, now.blocks[block],
              now.samples, receivers_of(next.holders(block), plan.keepers[block]));
  }
  plan.origins = std::move(parts.origins);
  plan.exchange = make_exchange_plan(std::move(parts.segments), next.workers());
  return plan;
}

}  // namespace resist
