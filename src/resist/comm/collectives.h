#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "resist/comm/exchange.h"

namespace resist {

// Collectives over the exchange (exchange.h), the same for every backend. Every worker calls them with the same sizes,
// tag and root; they block and throw CommError as exchange() does.

// Every worker's values := the mean over workers, summed in ascending order. Returns what this worker
// moved.
Payload mean_in_place(Communicator& communicator, std::span<float> values, std::uint32_t tag);

// `values` holds size() equal chunks; `chunk` := the mean over workers of this worker's chunk.
void reduce_scatter_mean(Communicator& communicator, std::span<const float> values, std::span<float> chunk,
                         std::uint32_t tag);

// `values` := all workers' chunks (of equal size), in rank order.
void all_gather(Communicator& communicator, std::span<const float> chunk, std::span<float> values, std::uint32_t tag);

// Every worker's values := the root's.
void broadcast(Communicator& communicator, std::span<float> values, int root, std::uint32_t tag);

// Small control data: all workers' `own` bytes (of one size), in rank order, into `all`.
void all_gather_bytes(Communicator& communicator, std::span<const std::byte> own, std::span<std::byte> all,
                      std::uint32_t tag);

template <typename T>
std::vector<T> all_gather_value(Communicator& communicator, const T& own, std::uint32_t tag) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::vector<T> all(static_cast<std::size_t>(communicator.size()));
  all_gather_bytes(communicator, std::as_bytes(std::span(&own, 1)), std::as_writable_bytes(std::span(all)), tag);
  return all;
}

// Small control data whose length each worker decides for itself: every worker's bytes.
std::vector<std::vector<std::byte>> all_gather_byte_lists(Communicator& communicator, std::span<const std::byte> own,
                                                          std::uint32_t tag);

template <typename T>
std::vector<std::vector<T>> all_gather_lists(Communicator& communicator, const std::vector<T>& own, std::uint32_t tag) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::vector<std::vector<T>> lists;
  for (const auto& bytes : all_gather_byte_lists(communicator, std::as_bytes(std::span(own)), tag)) {
    std::vector<T>& list = lists.emplace_back(bytes.size() / sizeof(T));
    std::ranges::copy(bytes, std::as_writable_bytes(std::span(list)).begin());
  }
  return lists;
}

}  // namespace resist
