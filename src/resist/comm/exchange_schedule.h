#pragma once

#include <cstdint>
#include <vector>

namespace resist {

// Bytes that each worker (row) has to send to each other one (column); the diagonal is zero.
using TrafficMatrix = std::vector<std::vector<std::int64_t>>;

// One step of a schedule: each worker sends `bytes` to to[worker], or all that is left where the step is a last one.
// Different workers send to different ones; to[worker] == worker: it rests.
struct ScheduledStep {
  std::vector<int> to;
  std::int64_t bytes;  // at most; kAll: all that is left
};

inline constexpr std::int64_t kAll = -1;

// Steps that move all of `traffic`, in which nobody sends to two or receives from two, and which take about as long as
// the busiest worker needs for its own bytes alone: the Birkhoff-von Neumann decomposition of the traffic, each step
// found as the matching whose shortest transfer is longest. (A fixed order, rank + 1, rank + 2, ..., would in each step
// wait for the one that has most to send.) What remains when little is left, and all of it where the traffic is
// even, small, or between very many workers, goes in that fixed order. Pure.
std::vector<ScheduledStep> schedule(const TrafficMatrix& traffic);

}  // namespace resist
