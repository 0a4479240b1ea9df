#pragma once

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

// Small control data whose length each worker decides for itself.
std::vector<std::vector<std::int64_t>> all_gather_lists(Communicator& communicator, std::span<const std::int64_t> own,
                                                        std::uint32_t tag);

}  // namespace resist
