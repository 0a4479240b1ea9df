#include "resist/sync/synchronise.h"

#include <algorithm>
#include <vector>

namespace resist {

Payload synchronise(Communicator& communicator, const SyncPlan& plan, const float* live, float* staged,
                    std::uint32_t tag, const SharedMemory& shared, std::uint64_t rounding_key) {
  std::vector<SegmentMemory> memory;
  memory.reserve(plan.origins.size());
  for (std::size_t i = 0; i < plan.origins.size(); ++i) {
    const SyncPlan::Origin& origin = plan.origins[i];
    const SyncPlan::Place& place = plan.places[origin.group];
    SegmentMemory own{.source = place.source < 0 ? nullptr : live + place.source + origin.offset,
                      .target = place.target < 0 ? nullptr : staged + place.target + origin.offset};
    if (origin.group == 0 && plan.exchange.segments[i].format != WireFormat::float32) {
      own.reference = shared.agreed + origin.offset;
      own.residual = shared.residual + origin.offset;
    }
    memory.push_back(own);
  }
  return exchange(communicator, plan.exchange, memory, tag, rounding_key);
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
