#include "resist/comm/collectives.h"

#include <algorithm>

#include "resist/comm/exchange.h"

namespace resist {
namespace {

std::int64_t length(std::span<const float> values) {
  return static_cast<std::int64_t>(values.size());
}

Payload run(Communicator& communicator, std::vector<Segment> segments, const std::vector<SegmentMemory>& memory,
            std::uint32_t tag) {
  return exchange(communicator, make_exchange_plan(std::move(segments), communicator.size()), memory, tag);
}

}  // namespace

Payload mean_in_place(Communicator& communicator, std::span<float> values, std::uint32_t tag) {
  const auto all = everyone(communicator.size());
  return run(communicator, {{.size = length(values), .holders = all, .receivers = all}},
             {{.source = values.data(), .target = values.data()}}, tag);
}

void reduce_scatter_mean(Communicator& communicator, std::span<const float> values, std::span<float> chunk,
                         std::uint32_t tag) {
  std::vector<Segment> segments;
  std::vector<SegmentMemory> memory;
  for (int rank = 0; rank < communicator.size(); ++rank) {
    segments.push_back({.size = length(chunk), .holders = everyone(communicator.size()), .receivers = {rank}});
    memory.push_back({.source = values.data() + rank * length(chunk),
                      .target = rank == communicator.rank() ? chunk.data() : nullptr});
  }
  run(communicator, std::move(segments), memory, tag);
}

void all_gather(Communicator& communicator, std::span<const float> chunk, std::span<float> values, std::uint32_t tag) {
  std::vector<Segment> segments;
  std::vector<SegmentMemory> memory;
  for (int rank = 0; rank < communicator.size(); ++rank) {
    segments.push_back({.size = length(chunk), .holders = {rank}, .receivers = everyone(communicator.size())});
    memory.push_back({.source = rank == communicator.rank() ? chunk.data() : nullptr,
                      .target = values.data() + rank * length(chunk)});
  }
  run(communicator, std::move(segments), memory, tag);
}

void broadcast(Communicator& communicator, std::span<float> values, int root, std::uint32_t tag) {
  run(communicator, {{.size = length(values), .holders = {root}, .receivers = everyone(communicator.size())}},
      {{.source = communicator.rank() == root ? values.data() : nullptr, .target = values.data()}}, tag);
}

void all_gather_bytes(Communicator& communicator, std::span<const std::byte> own, std::span<std::byte> all,
                      std::uint32_t tag) {
  const int size = communicator.size();
  const int rank = communicator.rank();
  const auto place = [&](int worker) { return all.subspan(static_cast<std::size_t>(worker) * own.size(), own.size()); };
  std::ranges::copy(own, place(rank).begin());
  for (int step = 1; step < size; ++step) {
    const int from = (rank - step + size) % size;
    const auto receiving = communicator.receive(place(from), from, tag);
    const auto sending = communicator.send(own, (rank + step) % size, tag);
    sending->wait();
    receiving->wait();
  }
}

std::vector<std::vector<std::byte>> all_gather_byte_lists(Communicator& communicator, std::span<const std::byte> own,
                                                          std::uint32_t tag) {
  const auto sizes = all_gather_value(communicator, own.size(), tag);
  const std::size_t longest = std::ranges::max(sizes);
  std::vector<std::byte> padded(own.begin(), own.end());
  padded.resize(longest);
  std::vector<std::byte> all(longest * sizes.size());
  if (longest > 0) {
    all_gather_bytes(communicator, padded, all, tag);
  }
  std::vector<std::vector<std::byte>> lists;
  lists.reserve(sizes.size());
  for (std::size_t worker = 0; worker < sizes.size(); ++worker) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(worker * longest);
    lists.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(sizes[worker]));
  }
  return lists;
}

}  // namespace resist
