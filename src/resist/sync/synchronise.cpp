#include "resist/sync/synchronise.h"

#include <algorithm>
#include <vector>

namespace resist {

void synchronise(Communicator& communicator, const SyncPlan& plan, const float* live, float* staged, std::uint32_t tag,
                 const ExchangeOptions& options) {
  std::vector<SegmentMemory> memory;
  memory.reserve(plan.places.size());
  for (const SyncPlan::Place& place : plan.places) {
    memory.push_back({.source = place.source < 0 ? nullptr : live + place.source,
                      .target = place.target < 0 ? nullptr : staged + place.target});
  }
  exchange(communicator, plan.exchange, memory, tag, options);
}

void carry_over(const Layout& layout, const SyncPlan& plan, const float* live, float* staged, std::int64_t size) {
  std::fill_n(staged, size, 0.0F);
  std::copy_n(live, layout.shared_size, staged);
  for (std::size_t block = 0; block < layout.blocks.size(); ++block) {
    const SyncPlan::Place& place = plan.places[1 + block];
    if (place.source >= 0 && place.target >= 0) {
      std::copy_n(live + place.source, layout.blocks[block].size, staged + place.target);
    }
  }
}

}  // namespace resist
