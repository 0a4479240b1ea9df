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
  std::vector<int> have;
  for (int rank = 0; rank < static_cast<int>(survivors.size()); ++rank) {
    if (survivors[rank].placed_as >= 0) {
      have.push_back(rank);
    }
  }
  const bool trained = std::ranges::any_of(survivors, [](const Survivor& one) { return one.iterations > 0; });
  mending.sources.shared_agreed = !trained && agreement != Agreement::never;
  mending.sources.shared = mending.sources.shared_agreed ? have : newest(have, survivors, agreement);
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

// A byte each: what is agreed on, who is a source of the shared parameters; then for every block whether it is a copy,
// whether it is lost, who is a source.
std::size_t encoded_mending_size(int workers, int blocks) {
  return static_cast<std::size_t>(1 + workers) +
         static_cast<std::size_t>(blocks) * static_cast<std::size_t>(2 + workers);
}

std::vector<std::byte> encode(const Mending& mending, int workers) {
  std::vector<std::byte> bytes;
  bytes.reserve(encoded_mending_size(workers, static_cast<int>(mending.copied.size())));
  const auto add = [&](bool flag) { bytes.push_back(static_cast<std::byte>(flag)); };
  const auto add_sources = [&](const std::vector<int>& sources) {
    for (int rank = 0; rank < workers; ++rank) {
      add(std::ranges::binary_search(sources, rank));
    }
  };
  add(mending.sources.shared_agreed);
  add_sources(mending.sources.shared);
  for (int block = 0; block < static_cast<int>(mending.copied.size()); ++block) {
    add(mending.copied[block]);
    add(std::ranges::binary_search(mending.lost, block));
    add_sources(mending.sources.blocks[block]);
  }
  return bytes;
}

Mending decode_mending(std::span<const std::byte> bytes, int workers, int blocks) {
  std::size_t place = 0;
  const auto read = [&] { return bytes[place++] != std::byte{0}; };
  const auto read_sources = [&] {
    std::vector<int> sources;
    for (int rank = 0; rank < workers; ++rank) {
      if (read()) {
        sources.push_back(rank);
      }
    }
    return sources;
  };
  Mending mending;
  mending.sources.shared_agreed = read();
  mending.sources.shared = read_sources();
  for (int block = 0; block < blocks; ++block) {
    mending.copied.push_back(read());
    if (read()) {
      mending.lost.push_back(block);
    }
    mending.sources.blocks.push_back(read_sources());
  }
  return mending;
}

}  // namespace resist
