#include "resist/comm/exchange_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace resist {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

TrafficMatrix no_traffic(int workers) {
  return TrafficMatrix(workers, std::vector<std::int64_t>(workers));
}

// The most that any worker sends or receives.
std::int64_t busiest_line(const TrafficMatrix& traffic) {
  std::int64_t most = 0;
  for (std::size_t worker = 0; worker < traffic.size(); ++worker) {
    std::int64_t sent = 0;
    std::int64_t received = 0;
    for (std::size_t other = 0; other < traffic.size(); ++other) {
      sent += traffic[worker][other];
      received += traffic[other][worker];
    }
    most = std::max({most, sent, received});
  }
  return most;
}

// What rank + 1, rank + 2, ... would take, each step waiting for its longest transfer.
std::int64_t length_of_fixed_order(const TrafficMatrix& traffic) {
  std::int64_t length = 0;
  for (std::size_t distance = 1; distance < traffic.size(); ++distance) {
    std::int64_t longest = 0;
    for (std::size_t worker = 0; worker < traffic.size(); ++worker) {
      longest = std::max(longest, traffic[worker][(worker + distance) % traffic.size()]);
    }
    length += longest;
  }
  return length;
}

// Carries the steps out, each waiting for its longest transfer, and returns how long they take. Checks that nobody
// receives from two, that no step is idle and that all is moved.
std::int64_t carry_out(const std::vector<ScheduledStep>& steps, const TrafficMatrix& traffic) {
  TrafficMatrix left = traffic;
  std::vector<int> everyone(traffic.size());
  std::iota(everyone.begin(), everyone.end(), 0);
  std::int64_t length = 0;
  for (const ScheduledStep& step : steps) {
    std::vector<int> receivers = step.to;
    std::ranges::sort(receivers);
    if (receivers != everyone) {
      ADD_FAILURE() << "a step's receivers are no permutation of the workers";
      return 0;
    }
    std::int64_t longest = 0;
    for (std::size_t worker = 0; worker < left.size(); ++worker) {
      std::int64_t& to_send = left[worker][step.to[worker]];
      const std::int64_t moved = step.bytes == kAll ? to_send : std::min(to_send, step.bytes);
      to_send -= moved;
      longest = std::max(longest, moved);
    }
    EXPECT_GT(longest, 0);
    length += longest;
  }
  EXPECT_EQ(left, no_traffic(static_cast<int>(traffic.size())));
  return length;
}

// How far each step of a fixed order sends; 0: the step is none of a fixed order.
std::vector<int> distances(const std::vector<ScheduledStep>& steps) {
  std::vector<int> result;
  for (const ScheduledStep& step : steps) {
    const int workers = static_cast<int>(step.to.size());
    bool fixed = step.bytes == kAll;
    for (int worker = 0; worker < workers; ++worker) {
      fixed = fixed && step.to[worker] == (worker + step.to[0]) % workers;
    }
    result.push_back(fixed ? step.to[0] : 0);
  }
  return result;
}

// Two permutations of different weight that both mix distances, and a little more.
TrafficMatrix skewed(std::int64_t unit) {
  TrafficMatrix traffic = {{0, 12, 6, 1}, {12, 0, 0, 6}, {0, 6, 0, 12}, {6, 0, 12, 0}};
  for (auto& row : traffic) {
    for (std::int64_t& bytes : row) {
      bytes *= unit;
    }
  }
  return traffic;
}

// Neighbours, two by two, send to each other.
TrafficMatrix in_pairs(int workers) {
  TrafficMatrix traffic = no_traffic(workers);
  for (int worker = 0; worker < workers; ++worker) {
    const int peer = worker ^ 1;
    if (peer < workers) {
      traffic[worker][peer] = 16 * kMiB;
    }
  }
  return traffic;
}

TrafficMatrix random_traffic(int workers, std::mt19937& generator) {
  TrafficMatrix traffic = no_traffic(workers);
  for (int sender = 0; sender < workers; ++sender) {
    for (int receiver = 0; receiver < workers; ++receiver) {
      if (sender != receiver && generator() % 3 == 0) {
        traffic[sender][receiver] = static_cast<std::int64_t>(generator() % (20U << 20U));
      }
    }
  }
  return traffic;
}

TEST(ExchangeSchedule, MovesEverythingAndTakesLittleLongerThanTheBusiestWorker) {
  std::mt19937 generator(1);
  int fixed_order_too_long = 0;
  for (int workers = 2; workers <= 9; ++workers) {
    for (int i = 0; i < 50; ++i) {
      SCOPED_TRACE(testing::Message() << workers << " workers, matrix " << i);
      const TrafficMatrix traffic = random_traffic(workers, generator);
      const std::int64_t line = busiest_line(traffic);
      const std::int64_t length = carry_out(schedule(traffic), traffic);
      if (line >= 4 * kMiB) {
        // Matched steps take what the busiest worker moves in them; at most a 64th of its bytes or 1 MiB is left then,
        // to go in workers - 1 steps that each take no longer than that. Or the fixed order takes that much more at
        // most.
        const std::int64_t bound = line + std::max(1, workers - 2) * std::max(line / 64, kMiB);
        EXPECT_LE(length, bound);
        fixed_order_too_long += length_of_fixed_order(traffic) > bound ? 1 : 0;
      }
    }
  }
  EXPECT_GT(fixed_order_too_long, 0);
}

TEST(ExchangeSchedule, SkewedTrafficTakesAsLongAsTheBusiestWorkerNeeds) {
  const TrafficMatrix traffic = skewed(kMiB);
  const std::int64_t line = busiest_line(traffic);
  ASSERT_GE(10 * length_of_fixed_order(traffic), 13 * line);
  EXPECT_LT(100 * carry_out(schedule(traffic), traffic), 115 * line);
}

TEST(ExchangeSchedule, EvenTrafficGoesInFixedOrder) {
  for (const int workers : {2, 3, 4, 7}) {
    TrafficMatrix traffic = no_traffic(workers);
    std::vector<int> ascending;
    for (int worker = 0; worker < workers; ++worker) {
      std::ranges::fill(traffic[worker], 8 * kMiB);
      traffic[worker][worker] = 0;
      if (worker > 0) {
        ascending.push_back(worker);
      }
    }
    EXPECT_EQ(distances(schedule(traffic)), ascending);
  }
}

TEST(ExchangeSchedule, SmallTrafficGoesInFixedOrder) {
  const TrafficMatrix traffic = skewed(200 << 10);
  ASSERT_LT(busiest_line(traffic), 4 * kMiB);
  EXPECT_EQ(distances(schedule(traffic)), (std::vector<int>{1, 2, 3}));
}

TEST(ExchangeSchedule, MoreThan32WorkersGoInFixedOrder) {
  EXPECT_EQ(distances(schedule(in_pairs(33))), (std::vector<int>{1, 32}));
  const std::vector<ScheduledStep> matched = schedule(in_pairs(32));
  ASSERT_EQ(matched.size(), 1U);
  EXPECT_EQ(matched.front().bytes, 16 * kMiB);
}

TEST(ExchangeSchedule, NothingToSendTakesNoSteps) {
  EXPECT_TRUE(schedule(no_traffic(1)).empty());
  EXPECT_TRUE(schedule(no_traffic(4)).empty());
}

}  // namespace
}  // namespace resist
