#include "resist/comm/message_checksum.h"

#include <fmt/format.h>

#include <array>

#include "resist/comm/tags.h"
#include "resist/core/hash.h"

namespace resist {
namespace {

std::string kind_of(std::uint32_t tag) {
  switch (tag) {
    case kBarrierTag:
      return "a barrier";
    case kControlTag:
      return "control";
    case kEvaluationTag:
      return "an evaluation";
    case kCheckpointTag:
      return "a checkpoint";
    default:
      return fmt::format("round {}", tag + 1);
  }
}

}  // namespace

std::uint64_t message_fence(std::string_view job, std::int64_t generation) {
  return hash_64(fmt::format("{} {}", generation, job));
}

std::uint32_t message_checksum(std::span<const std::byte> payload, std::uint64_t fence, std::uint32_t tag, int from,
                               int to) {
  const std::array<std::uint64_t, 3> fenced = {
      fence, tag, std::uint64_t{static_cast<std::uint32_t>(from)} << 32U | static_cast<std::uint32_t>(to)};
  return crc32c(payload, crc32c(std::as_bytes(std::span(fenced))));
}

std::string wrong_checksum(std::size_t bytes, std::uint32_t tag) {
  return fmt::format(
      "the checksum of its message of {} ({} bytes) is wrong: it was damaged on the way, or belongs to another job, "
      "generation or round; if that happens again, look for a fault in the network or the memory of the two machines",
      kind_of(tag), bytes);
}

}  // namespace resist
