#include "resist/sync/block_visits.h"

#include <algorithm>

namespace resist {
namespace {

// A block more for each worker fills the links; memory is what bounds it.
constexpr int kFewest = 2;
constexpr int kMost = 16;

}  // namespace

std::vector<int> visit_senders(const Layout& layout, const Assignment& assignment) {
  std::vector<std::int64_t> sent(static_cast<std::size_t>(assignment.workers()));
  std::vector<int> senders;
  senders.reserve(layout.blocks.size());
  for (int block = 0; block < assignment.blocks(); ++block) {
    const std::vector<int>& holders = assignment.holders(block);
    const int sender = *std::ranges::min_element(holders, {}, [&](int holder) { return sent[holder]; });
    sent[sender] += layout.blocks[block].size * (assignment.workers() - static_cast<int>(holders.size()));
    senders.push_back(sender);
  }
  return senders;
}

int visits_under_way(int workers) {
  return std::clamp(workers, kFewest, kMost);
}

std::int64_t visiting_size(const Layout& layout, const Assignment& assignment) {
  std::int64_t largest = 0;
  int visiting = 0;
  for (int block = 0; block < assignment.blocks(); ++block) {
    if (static_cast<int>(assignment.holders(block).size()) < assignment.workers()) {
      largest = std::max(largest, layout.blocks[block].size);
      ++visiting;
    }
  }
  return largest * std::min(visiting, visits_under_way(assignment.workers()));
}

}  // namespace resist
