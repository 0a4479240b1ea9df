#pragma once

#include <cstdint>

namespace resist {

// Tags keep kinds of messages between two workers apart; a synchronisation's tag holds its round (31 bits: Gloo's
// limit).
inline constexpr std::uint32_t kBarrierTag = 0x7FFFFFFF;
inline constexpr std::uint32_t kControlTag = 0x7FFFFFFE;
inline constexpr std::uint32_t kEvaluationTag = 0x7FFFFFFD;
inline constexpr std::uint32_t kCheckpointTag = 0x7FFFFFFC;

inline std::uint32_t round_tag(std::int64_t round) {
  return static_cast<std::uint32_t>(round & 0x3FFFFFFF);
}

}  // namespace resist
