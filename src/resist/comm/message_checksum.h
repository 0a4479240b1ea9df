#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace resist {

// What every message between processes ends with: a CRC-32C of its payload that begins with what fences it, so that a
// message of another job, generation or round is as wrong as a damaged one. Not for security.

// A job's generation. `job`: what tells it from all others.
std::uint64_t message_fence(std::string_view job, std::int64_t generation);

// Of a message from worker `from` to worker `to`; its tag holds the round (tags.h).
std::uint32_t message_checksum(std::span<const std::byte> payload, std::uint64_t fence, std::uint32_t tag, int from,
                               int to);

// Why a message is refused, and what to do.
std::string wrong_checksum(std::size_t bytes, std::uint32_t tag);

}  // namespace resist
