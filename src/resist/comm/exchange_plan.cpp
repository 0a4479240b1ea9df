#include <algorithm>
#include <numeric>
#include <utility>

#include "resist/comm/exchange.h"
#include "resist/comm/exchange_schedule.h"
#include "resist/core/error.h"

namespace resist {
namespace {

constexpr std::int64_t kWholeRuns = std::int64_t{1} << 40;        // elements: no run is longer
constexpr std::int64_t kWorthGoingEarly = std::int64_t{1} << 20;  // bytes

// Parts and pieces are cut at multiples of this: values that share a scale stay together.
std::int64_t cut_of(const Segment& segment) {
  return segment.format == WireFormat::float32 ? 1 : kCodecChunk;
}

std::int64_t bytes_of(const Segment& segment, std::int64_t count) {
  return encoded_size(segment.format, count);
}

// What one worker has to send to another: runs of parts in order, and how far it has come.
class Flow {
 public:
  explicit Flow(const ExchangePlan& plan) : plan_(&plan) {}

  void add(const Piece& run) {
    runs_.push_back(run);
    bytes_ += bytes_of(segment(run), run.size);
  }
  // Left to ask for.
  std::int64_t bytes() const { return bytes_ - due_; }
  bool is_done() const { return sent_ == bytes_; }

  // Elements that make about `bytes` more (all: kAll). What was sent too much before is taken off.
  std::vector<Piece> take(std::int64_t bytes, std::int64_t max_piece_size) {
    due_ = bytes == kAll ? bytes_ : std::min(bytes_, due_ + bytes);
    std::vector<Piece> pieces;
    while (sent_ < due_) {
      const Piece& run = runs_[next_];
      const std::int64_t left = run.size - position_;
      const std::int64_t wanted = elements(segment(run), due_ - sent_);
      const std::int64_t cut = cut_of(segment(run));
      const std::int64_t size = std::min({left, wanted, (max_piece_size + cut - 1) / cut * cut});
      pieces.push_back({.part = run.part, .offset = run.offset + position_, .size = size});
      sent_ += bytes_of(segment(run), size);
      position_ += size;
      if (position_ == run.size) {
        ++next_;
        position_ = 0;
      }
    }
    return pieces;
  }

 private:
  const Segment& segment(const Piece& run) const { return plan_->segments[plan_->parts[run.part].segment]; }

  // Whole chunks of at least `bytes`.
  static std::int64_t elements(const Segment& segment, std::int64_t bytes) {
    const std::int64_t cut = cut_of(segment);
    const std::int64_t bytes_of_cut = bytes_of(segment, cut);
    return (bytes + bytes_of_cut - 1) / bytes_of_cut * cut;
  }

  const ExchangePlan* plan_;
  std::vector<Piece> runs_;
  std::int64_t bytes_ = 0;
  std::int64_t due_ = 0;
  std::int64_t sent_ = 0;
  std::size_t next_ = 0;
  std::int64_t position_ = 0;  // within the run
};

using Flows = std::vector<std::vector<Flow>>;  // [from][to]

TrafficMatrix traffic_of(const Flows& flows) {
  TrafficMatrix traffic(flows.size());
  for (std::size_t from = 0; from < flows.size(); ++from) {
    for (const Flow& flow : flows[from]) {
      traffic[from].push_back(flow.bytes());
    }
  }
  return traffic;
}

void append_steps(Flows flows, std::int64_t max_piece_size, std::vector<Step>& steps) {
  for (const ScheduledStep& scheduled : schedule(traffic_of(flows))) {
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
  for (const auto& row : flows) {
    if (!std::ranges::all_of(row, &Flow::is_done)) {
      throw Error("an exchange was planned that leaves something unsent");
    }
  }
}

// Who is behind with what it has to send and receive in the second leg, and could do some of it in the first one,
// where others are busier.
class Slack {
 public:
  Slack(const TrafficMatrix& first, const TrafficMatrix& second) : first_(lines(first)), second_(lines(second)) {
    std::int64_t both = 0;
    for (std::size_t line = 0; line < first_.size(); ++line) {
      longest_ = std::max(longest_, first_[line]);
      both = std::max(both, first_[line] + second_[line]);
    }
    bound_ = both - longest_;
  }

  // Bytes from worker to worker that the second leg is longer by than it need be, and that the first has room for.
  std::int64_t between(std::size_t from, std::size_t to) const {
    const auto behind = [&](std::size_t line) { return second_[line] - bound_; };
    const auto room = [&](std::size_t line) { return longest_ - first_[line]; };
    const std::size_t in = to + first_.size() / 2;
    return std::min({std::max(behind(from), behind(in)), room(from), room(in)});
  }

  void move(std::size_t from, std::size_t to, std::int64_t bytes) {
    for (const std::size_t line : {from, to + first_.size() / 2}) {
      first_[line] += bytes;
      second_[line] -= bytes;
    }
  }

 private:
  // What each worker sends, and then what each receives.
  static std::vector<std::int64_t> lines(const TrafficMatrix& traffic) {
    const std::size_t workers = traffic.size();
    std::vector<std::int64_t> sums(2 * workers);
    for (std::size_t from = 0; from < workers; ++from) {
      for (std::size_t to = 0; to < workers; ++to) {
        sums[from] += traffic[from][to];
        sums[workers + to] += traffic[from][to];
      }
    }
    return sums;
  }

  std::vector<std::int64_t> first_;
  std::vector<std::int64_t> second_;
  std::int64_t longest_ = 0;  // what the first leg takes
  std::int64_t bound_ = 0;    // and what the second one can be brought down to
};

// What has one holder, and stands first in `results`, can go while others collect: `alone` says how much that is.
void go_early(const TrafficMatrix& alone, Flows& values, Flows& results) {
  Slack slack(traffic_of(values), traffic_of(results));
  for (std::size_t from = 0; from < alone.size(); ++from) {
    for (std::size_t to = 0; to < alone.size(); ++to) {
      const std::int64_t bytes = std::min(alone[from][to], slack.between(from, to));
      if (bytes < kWorthGoingEarly) {
        continue;
      }
      for (const Piece& run : results[from][to].take(bytes, kWholeRuns)) {
        values[from][to].add(run);
      }
      slack.move(from, to, bytes);
    }
  }
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
  ExchangePlan plan{.workers = workers, .segments = std::move(segments), .parts = {}, .steps = {}};
  for (int index = 0; index < static_cast<int>(plan.segments.size()); ++index) {
    add_parts(plan, index);
  }
  const Flows none(static_cast<std::size_t>(workers), std::vector<Flow>(static_cast<std::size_t>(workers), Flow(plan)));
  const auto whole = [&](int part) {
    return Piece{.part = part, .offset = plan.parts[part].offset, .size = plan.parts[part].size};
  };
  Flows values = none;
  for_each_value(plan, [&](int from, int to, int part) { values[from][to].add(whole(part)); });
  Flows results = none;
  const auto add_results = [&](bool of_one_holder) {
    for_each_result(plan, [&](int from, int to, int part) {
      if ((plan.segments[plan.parts[part].segment].holders.size() == 1) == of_one_holder) {
        results[from][to].add(whole(part));
      }
    });
  };
  add_results(/*of_one_holder=*/true);
  const TrafficMatrix alone = traffic_of(results);
  add_results(/*of_one_holder=*/false);
  go_early(alone, values, results);
  append_steps(std::move(values), max_piece_size, plan.steps);
  append_steps(std::move(results), max_piece_size, plan.steps);
  return plan;
}

std::vector<Traffic> plan_traffic(const ExchangePlan& plan) {
  const std::vector<std::int64_t> nothing(static_cast<std::size_t>(plan.workers));
  std::vector<Traffic> traffic(nothing.size(), {.sent = nothing, .received = nothing});
  const auto count = [&](int from, int to, int part) {
    const std::int64_t bytes = bytes_of(plan.segments[plan.parts[part].segment], plan.parts[part].size);
    traffic[from].sent[to] += bytes;
    traffic[to].received[from] += bytes;
  };
  for_each_value(plan, count);
  for_each_result(plan, count);
  return traffic;
}

}  // namespace resist
