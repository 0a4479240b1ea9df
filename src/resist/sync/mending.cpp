#include "resist/sync/mending.h"

#include <algorithm>
#include <iterator>

namespace resist {
namespace {

// The new ranks of those of `workers` (ranks before) that are left.
std::vector<int> left_of(const std::vector<int>& workers, const std::vector<Survivor>& survivors) {
  std::vector<int> left;
  for (int rank = 0; rank < static_cast<int>(survivors.size()); ++rank) {
    if (std::ranges::binary_search(workers, survivors[rank].placed_as)) {
      left.push_back(rank);
    }
  }
  return left;
}

// Of those that have a group of parameters, those whose values count; at least one.
std::vector<int> newest(const std::vector<int>& ranks, const std::vector<Survivor>& survivors, Agreement agreement) {
  const auto iterations = [&](int rank) { return survivors[rank].iterations; };
  if (agreement == Agreement::at_each_iteration) {
    return {*std::ranges::max_element(ranks, {}, iterations)};
  }
  std::vector<int> trained;
  std::ranges::copy_if(ranks, std::back_inserter(trained), [&](int rank) { return iterations(rank) > 0; });
  if (!trained.empty()) {
    return trained;
  }
  return agreement == Agreement::never ? ranks : std::vector<int>{ranks.front()};
}

}  // namespace

Mending find_sources(const Assignment& before, const std::vector<int>& keepers, const std::vector<Survivor>& survivors,
                     Agreement agreement) {
  Mending mending;
  mending.sources.shared = newest(everyone(static_cast<int>(survivors.size())), survivors, agreement);
  const bool trained = std::ranges::any_of(survivors, [](const Survivor& one) { return one.iterations > 0; });
  mending.scope = trained || agreement == Agreement::never ? SyncScope::all : SyncScope::blocks;
  mending.copied.resize(static_cast<std::size_t>(before.blocks()));
  for (int block = 0; block < before.blocks(); ++block) {
    const auto holders = left_of(before.holders(block), survivors);
    if (!holders.empty()) {
      mending.sources.blocks.push_back(
          newest(holders, survivors, agreement == Agreement::never ? Agreement::at_commits : agreement));
      continue;
    }
    mending.copied[block] = true;
    const auto keeper = left_of({keepers[block]}, survivors);
    mending.sources.blocks.push_back(keeper.empty() ? std::vector<int>{0} : keeper);
    if (keeper.empty()) {
      mending.lost.push_back(block);
    }
  }
  return mending;
}

}  // namespace resist
