#include <algorithm>
#include <numeric>
#include <utility>

#include "resist/comm/exchange.h"
#include "resist/comm/exchange_schedule.h"

namespace resist {
namespace {

// Parts and pieces are cut at multiples of this: values that share a scale stay together.
std::int64_t cut_of(const Segment& segment) {
  return segment.format == WireFormat::float32 ? 1 : kCodecChunk;
}

std::int64_t bytes_of(const Segment& segment, std::int64_t count) {
  return encoded_size(segment.format, count);
}

// What one worker has to send to another, in order, and how far it has come.
class Flow {
 public:
  explicit Flow(const ExchangePlan& plan) : plan_(&plan) {}

  void add(int part) {
    parts_.push_back(part);
    bytes_ += bytes_of(segment(part), plan_->parts[part].size);
  }
  std::int64_t bytes() const { return bytes_; }

  // Elements that make about `bytes` more (all: kAll). What was sent too much before is taken off.
  std::vector<Piece> take(std::int64_t bytes, std::int64_t max_piece_size) {
    due_ = bytes == kAll ? bytes_ : std::min(bytes_, due_ + bytes);
    std::vector<Piece> pieces;
    while (sent_ < due_) {
      const SegmentPart& part = plan_->parts[parts_[next_]];
      const std::int64_t left = part.size - position_;
      const std::int64_t wanted = elements(segment(parts_[next_]), due_ - sent_);
      const std::int64_t cut = cut_of(segment(parts_[next_]));
      const std::int64_t size = std::min({left, wanted, (max_piece_size + cut - 1) / cut * cut});
      pieces.push_back({.part = parts_[next_], .offset = part.offset + position_, .size = size});
      sent_ += bytes_of(segment(parts_[next_]), size);
      position_ += size;
      if (position_ == part.size) {
        ++next_;
        position_ = 0;
      }
    }
    return pieces;
  }

 private:
  const Segment& segment(int part) const { return plan_->segments[plan_->parts[part].segment]; }

  // Whole chunks of at least `bytes`.
  static std::int64_t elements(const Segment& segment, std::int64_t bytes) {
    const std::int64_t cut = cut_of(segment);
    const std::int64_t bytes_of_cut = bytes_of(segment, cut);
    return (bytes + bytes_of_cut - 1) / bytes_of_cut * cut;
  }

  const ExchangePlan* plan_;
  std::vector<int> parts_;
  std::int64_t bytes_ = 0;
  std::int64_t due_ = 0;
  std::int64_t sent_ = 0;
  std::size_t next_ = 0;
  std::int64_t position_ = 0;  // within the part
};

using Flows = std::vector<std::vector<Flow>>;  // [from][to]

std::vector<Step> cut_into_steps(Flows flows, std::int64_t max_piece_size) {
  TrafficMatrix traffic(flows.size());
  for (std::size_t from = 0; from < flows.size(); ++from) {
    for (const Flow& flow : flows[from]) {
      traffic[from].push_back(flow.bytes());
    }
  }
  std::vector<Step> steps;
  for (const ScheduledStep& scheduled : schedule(traffic)) {
    Step step{.to = std::vector<int>(flows.size(), -1), .pieces = std::vector<std::vector<Piece>>(flows.size())};
    for (std::size_t from = 0; from < flows.size(); ++from) {
      const int to = scheduled.to[from];
      step.pieces[from] = flows[from][to].take(scheduled.bytes, max_piece_size);
      if (!step.pieces[from].empty()) {
        step.to[from] = to;
      }
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

// Calls action(from, to, part) for every transfer of a part's values to its owner, or of its result from it.
template <typename Action>
void for_each_value(const ExchangePlan& plan, const Action& action) {
  for (int part = 0; part < static_cast<int>(plan.parts.size()); ++part) {
    for (const int holder : plan.segments[plan.parts[part].segment].holders) {
      if (holder != plan.parts[part].owner) {
        action(holder, plan.parts[part].owner, part);
      }
    }
  }
}

template <typename Action>
void for_each_result(const ExchangePlan& plan, const Action& action) {
  for (int part = 0; part < static_cast<int>(plan.parts.size()); ++part) {
    for (const int receiver : plan.segments[plan.parts[part].segment].receivers) {
      if (receiver != plan.parts[part].owner) {
        action(plan.parts[part].owner, receiver, part);
      }
    }
  }
}

void add_parts(ExchangePlan& plan, int index) {
  const Segment& segment = plan.segments[index];
  const auto holders = static_cast<std::int64_t>(segment.holders.size());
  const std::int64_t cut = cut_of(segment);
  const std::int64_t chunks = (segment.size + cut - 1) / cut;
  for (std::int64_t n = 0; n < holders; ++n) {
    const std::int64_t begin = std::min(segment.size, chunks * n / holders * cut);
    const std::int64_t end = std::min(segment.size, chunks * (n + 1) / holders * cut);
    if (end > begin) {
      plan.parts.push_back({.segment = index, .owner = segment.holders[n], .offset = begin, .size = end - begin});
    }
  }
}

}  // namespace

std::vector<int> everyone(int workers) {
  std::vector<int> all(static_cast<std::size_t>(workers));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

ExchangePlan make_exchange_plan(std::vector<Segment> segments, int workers, std::int64_t max_piece_size) {
  ExchangePlan plan{
      .workers = workers, .segments = std::move(segments), .parts = {}, .collecting = {}, .distributing = {}};
  for (int index = 0; index < static_cast<int>(plan.segments.size()); ++index) {
    add_parts(plan, index);
  }
  const Flows none(static_cast<std::size_t>(workers), std::vector<Flow>(static_cast<std::size_t>(workers), Flow(plan)));
  Flows values = none;
  for_each_value(plan, [&](int from, int to, int part) { values[from][to].add(part); });
  Flows results = none;
  for_each_result(plan, [&](int from, int to, int part) { results[from][to].add(part); });
  plan.collecting = cut_into_steps(std::move(values), max_piece_size);
  plan.distributing = cut_into_steps(std::move(results), max_piece_size);
  return plan;
}

Traffic plan_traffic(const ExchangePlan& plan, int worker) {
  Traffic traffic{.sent = std::vector<std::int64_t>(static_cast<std::size_t>(plan.workers)),
                  .received = std::vector<std::int64_t>(static_cast<std::size_t>(plan.workers))};
  const auto count = [&](int from, int to, int part) {
    const std::int64_t bytes = bytes_of(plan.segments[plan.parts[part].segment], plan.parts[part].size);
    if (from == worker) {
      traffic.sent[to] += bytes;
    }
    if (to == worker) {
      traffic.received[from] += bytes;
    }
  };
  for_each_value(plan, count);
  for_each_result(plan, count);
  return traffic;
}

}  // namespace resist
