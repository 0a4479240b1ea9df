#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "resist/comm/communicator.h"

namespace resist {

// Words. A segment is a run of float32 elements that some workers (its holders) have and some (its receivers) are to
// get: the mean over its holders, or the value of its only holder. Each holder owns an equal part of it: the owner
// collects the other holders' values of that part, averages, and sends the result to the receivers. A piece is a part
// of bounded size with one owner; an owner's n-th piece travels in wave n.
//
// Averaging shared parameters, moving a block, all-gather and broadcast are all such segments, so this is the only
// code that moves parameters.

struct Segment {
  std::int64_t size = 0;       // elements
  std::vector<int> holders;    // ascending, at least one
  std::vector<int> receivers;  // ascending; may be empty
};

struct Piece {
  int segment;
  std::int64_t offset;  // elements, within the segment
  std::int64_t size;    // elements
};

// 0 .. workers - 1: the holders or receivers of what all have.
std::vector<int> everyone(int workers);

// Who sends what to whom: a pure function of the segments, the same on every worker.
struct ExchangePlan {
  std::vector<Segment> segments;
  std::vector<std::vector<Piece>> pieces;  // [owner][wave]
  std::int64_t piece_size = 0;             // the largest piece, elements
  int workers() const { return static_cast<int>(pieces.size()); }
};

inline constexpr std::int64_t kDefaultPieceSize = std::int64_t{1} << 18;  // 1 MiB of float32

ExchangePlan make_exchange_plan(std::vector<Segment> segments, int workers,
                                std::int64_t max_piece_size = kDefaultPieceSize);

// Payload bytes that `worker` sends and receives when the plan is carried out, by peer. Exact.
Traffic plan_traffic(const ExchangePlan& plan, int worker);

// Elements of scratch memory that carrying out a plan takes on one worker (values in flight).
std::int64_t scratch_size(const ExchangePlan& plan);

// Where this worker's copy of a segment is read and where its result goes; null where it is no holder or no receiver.
// Source and target of one segment may be the same memory.
struct SegmentMemory {
  const float* source = nullptr;
  float* target = nullptr;
};

// Carries the plan out together with all other workers. Blocks until this worker's results are in place and its sends
// are done. A mean is ((x_0 + x_1) + x_2 ...) / n over the holders in ascending order, for every element, so the
// result depends neither on timing nor on the piece size. In wave order; within a wave in pairwise steps: step d sends
// to rank + d and receives from rank - d, so no worker is sent to by two at once. CommError when a peer fails; targets
// then hold unspecified values.
void exchange(Communicator& communicator, const ExchangePlan& plan, std::span<const SegmentMemory> memory,
              std::uint32_t tag);

}  // namespace resist
