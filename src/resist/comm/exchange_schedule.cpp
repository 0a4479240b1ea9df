#include "resist/comm/exchange_schedule.h"

#include <algorithm>
#include <numeric>

namespace resist {
namespace {

constexpr std::int64_t kWorthMatching = std::int64_t{4} << 20;  // bytes on the busiest link
constexpr int kMostMatched = 32;                                // workers: finding matchings takes S^4 at worst
constexpr std::int64_t kWorthAStep = std::int64_t{1} << 20;     // bytes of a matching
constexpr std::int64_t kNegligible = 64;                        // nor is a rest of one 64th worth steps of its own

// The most that any worker sends or receives.
std::int64_t busiest(const TrafficMatrix& traffic) {
  std::int64_t most = 0;
  for (std::size_t worker = 0; worker < traffic.size(); ++worker) {
    std::int64_t received = 0;
    for (const auto& row : traffic) {
      received += row[worker];
    }
    most = std::max({most, received, std::accumulate(traffic[worker].begin(), traffic[worker].end(), std::int64_t{0})});
  }
  return most;
}

// Steps in the order rank + 1, rank + 2, ... without those in which nobody has anything to send.
void append_fixed_order(const TrafficMatrix& traffic, std::vector<ScheduledStep>& steps) {
  const int workers = static_cast<int>(traffic.size());
  for (int distance = 1; distance < workers; ++distance) {
    ScheduledStep step{.to = std::vector<int>(traffic.size()), .bytes = kAll};
    bool empty = true;
    for (int worker = 0; worker < workers; ++worker) {
      step.to[worker] = (worker + distance) % workers;
      empty = empty && traffic[worker][step.to[worker]] == 0;
    }
    if (!empty) {
      steps.push_back(std::move(step));
    }
  }
}

// What the fixed order takes, if every step waits for its longest transfer.
std::int64_t length_of_fixed_order(const TrafficMatrix& traffic) {
  const std::size_t workers = traffic.size();
  std::int64_t length = 0;
  for (std::size_t distance = 1; distance < workers; ++distance) {
    std::int64_t longest = 0;
    for (std::size_t worker = 0; worker < workers; ++worker) {
      longest = std::max(longest, traffic[worker][(worker + distance) % workers]);
    }
    length += longest;
  }
  return length;
}

// A perfect matching among entries of at least `least`, by augmenting paths (Kuhn); empty: there is none.
class Matching {
 public:
  Matching(const TrafficMatrix& matrix, std::int64_t least)
      : matrix_(matrix), least_(least), sender_of_(matrix.size(), -1) {}

  std::vector<int> find() {
    for (int sender = 0; sender < static_cast<int>(matrix_.size()); ++sender) {
      visited_.assign(matrix_.size(), false);
      if (!place(sender)) {
        return {};
      }
    }
    std::vector<int> to(matrix_.size());
    for (int receiver = 0; receiver < static_cast<int>(matrix_.size()); ++receiver) {
      to[sender_of_[receiver]] = receiver;
    }
    return to;
  }

 private:
  bool place(int sender) {
    for (std::size_t receiver = 0; receiver < matrix_.size(); ++receiver) {
      if (matrix_[sender][receiver] < least_ || visited_[receiver]) {
        continue;
      }
      visited_[receiver] = true;
      if (sender_of_[receiver] < 0 || place(sender_of_[receiver])) {
        sender_of_[receiver] = sender;
        return true;
      }
    }
    return false;
  }

  const TrafficMatrix& matrix_;
  std::int64_t least_;
  std::vector<int> sender_of_;
  std::vector<bool> visited_;
};

// The perfect matching whose least entry is largest. There is one: all rows and columns have the same positive sum.
std::vector<int> widest_matching(const TrafficMatrix& matrix) {
  std::vector<std::int64_t> entries;
  for (const auto& row : matrix) {
    std::ranges::copy_if(row, std::back_inserter(entries), [](std::int64_t entry) { return entry > 0; });
  }
  std::ranges::sort(entries);
  std::vector<int> best;
  std::size_t low = 0;
  std::size_t high = entries.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    std::vector<int> found = Matching(matrix, entries[middle]).find();
    if (found.empty()) {
      high = middle;
    } else {
      best = std::move(found);
      low = middle + 1;
    }
  }
  return best;
}

// Rest added so that every row and column has the sum `line`.
void pad(TrafficMatrix& matrix, std::int64_t line) {
  const std::size_t workers = matrix.size();
  std::vector<std::int64_t> to_receive(workers, line);
  for (const auto& row : matrix) {
    for (std::size_t receiver = 0; receiver < workers; ++receiver) {
      to_receive[receiver] -= row[receiver];
    }
  }
  for (auto& row : matrix) {
    std::int64_t to_send = line - std::accumulate(row.begin(), row.end(), std::int64_t{0});
    for (std::size_t receiver = 0; receiver < workers; ++receiver) {
      const std::int64_t rest = std::min(to_send, to_receive[receiver]);
      row[receiver] += rest;
      to_send -= rest;
      to_receive[receiver] -= rest;
    }
  }
}

}  // namespace

std::vector<ScheduledStep> schedule(const TrafficMatrix& traffic) {
  std::vector<ScheduledStep> steps;
  const std::int64_t line = busiest(traffic);
  TrafficMatrix left = traffic;
  const std::int64_t negligible = std::max(line / kNegligible, kWorthAStep);
  const bool fixed_order_will_do = length_of_fixed_order(traffic) <= line + negligible;
  if (!fixed_order_will_do && line >= kWorthMatching && traffic.size() <= kMostMatched) {
    TrafficMatrix padded = traffic;
    pad(padded, line);
    for (std::int64_t rest = line; rest > negligible;) {
      ScheduledStep step{.to = widest_matching(padded), .bytes = line};
      for (std::size_t worker = 0; worker < padded.size(); ++worker) {
        step.bytes = std::min(step.bytes, padded[worker][step.to[worker]]);
      }
      for (std::size_t worker = 0; worker < padded.size(); ++worker) {
        padded[worker][step.to[worker]] -= step.bytes;
        std::int64_t& to_send = left[worker][step.to[worker]];
        to_send -= std::min(to_send, step.bytes);
      }
      rest -= step.bytes;
      steps.push_back(std::move(step));
    }
  }
  append_fixed_order(left, steps);
  return steps;
}

}  // namespace resist
