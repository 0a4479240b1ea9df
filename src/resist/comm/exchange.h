#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "resist/comm/codec.h"
#include "resist/comm/communicator.h"

namespace resist {

// Words. A segment is a run of elements that some workers (its holders) have and some (its receivers) are to get: the
// mean over its holders, or the value of its only holder. Each holder owns an equal part of it: the owner collects the
// other holders' values of that part, averages, and distributes the result to the receivers. Values and then results go
// in steps, in each of which a worker sends to one worker and receives from one: an order of sending
// (exchange_schedule.cpp) that keeps the busiest link busy, and no link with two senders. Results of what has one
// holder need not wait for values, and go before where that makes the whole shorter.
//
// Averaging shared parameters, moving a block, all-gather and broadcast are all such segments, so this is the only
// code that moves parameters.

struct Segment {
  std::int64_t size = 0;       // elements
  std::vector<int> holders;    // ascending, at least one
  std::vector<int> receivers;  // ascending; may be empty
  WireFormat format = WireFormat::float32;
  // Of the holders, where they do not count alike: the mean is then weighted. Above zero; empty: all the same.
  std::vector<float> weights = {};
};

// 0 .. workers - 1: the holders or receivers of what all have.
std::vector<int> everyone(int workers);

// What one holder of a segment owns.
struct SegmentPart {
  int segment;
  int owner;
  std::int64_t offset;  // elements, within the segment
  std::int64_t size;    // elements
};

// One message: some elements of a part, bounded in size.
struct Piece {
  int part;
  std::int64_t offset;  // elements, within the segment
  std::int64_t size;    // elements
};

// What every worker sends at a time; per sender.
struct Step {
  std::vector<int> to;                     // -1: to nobody
  std::vector<std::vector<Piece>> pieces;  // in the order of sending
};

// Who sends what to whom, when: a pure function of the segments, the same on every worker.
struct ExchangePlan {
  int workers = 0;
  std::vector<Segment> segments;
  std::vector<SegmentPart> parts;
  // First holders' values, to owners, and results of one holder that go early; then the results that owners send to
  // receivers.
  std::vector<Step> steps;
};

inline constexpr std::int64_t kDefaultPieceSize = std::int64_t{1} << 20;  // elements; 4 MiB of float32

ExchangePlan make_exchange_plan(std::vector<Segment> segments, int workers,
                                std::int64_t max_piece_size = kDefaultPieceSize);

// Payload bytes that each worker sends and receives when the plan is carried out, by peer. Exact.
std::vector<Traffic> plan_traffic(const ExchangePlan& plan);

// Bytes of scratch memory that carrying out a plan takes on one worker.
std::int64_t scratch_size(const ExchangePlan& plan, int worker);

// Takes each stretch of a target, once, as soon as it holds the result, while others are still under way; in the thread
// that exchanges. May change it, where the target is not the source as well, and the same stretch of the reference:
// nothing of the exchange reads them again.
using ResultSink = std::function<void(float* result, std::int64_t count)>;

// This worker's side of a segment.
struct SegmentMemory {
  const float* source = nullptr;  // its values; null: not a holder
  float* target = nullptr;        // where the result goes; null: not a receiver. May be the source.
  // Only for segments that are held and received by all, in a format other than float32: what all agreed on last.
  // Differences from it travel then, and the result is it plus the decoded mean of them. `residual`, kept from one
  // exchange to the next, takes what rounding left over and is added to the next difference (error feedback): a
  // worker's own, and for the part that it owns what was left of the mean, times the number of workers (the sum of
  // weights over its own), since it comes back as one of their contributions. So the sum over workers of difference and
  // residual, weighted as the mean is, is never changed.
  const float* reference = nullptr;
  float* residual = nullptr;
  const ResultSink* arrived = nullptr;  // null: nobody takes it
};

// Payload bytes that one worker sent and received, all peers together.
struct Payload {
  std::int64_t sent = 0;
  std::int64_t received = 0;
  Payload& operator+=(const Payload& other) {
    sent += other.sent;
    received += other.received;
    return *this;
  }
};

// Carries the plan out together with all other workers. Blocks until this worker's results are in place and its sends
// are done. A mean is ((x_0 + x_1) + x_2 ...) / n over the holders in ascending order, for every element (with weights
// (w_0 x_0 + w_1 x_1 ...) / (w_0 + w_1 ...)), so the result depends neither on timing nor on how it is cut. Where the
// format is not float32, the other holders' values and the result are rounded, once each, under keys that follow from
// `rounding_key`, segment and worker; all receivers get the same decoded result, the owner included. A part that nobody
// but its only holder receives is not rounded. CommError when a peer fails; targets and residuals then hold unspecified
// values. Returns what it moved.
Payload exchange(Communicator& communicator, const ExchangePlan& plan, std::span<const SegmentMemory> memory,
                 std::uint32_t tag, std::uint64_t rounding_key = 0);

}  // namespace resist
