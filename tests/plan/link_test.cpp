#include "resist/plan/link.h"

#include <gtest/gtest.h>

namespace resist {
namespace {

constexpr double kByteSeconds = 8 * kFraming;  // of a byte at 1 bit/s

std::vector<Link> same_links(std::size_t workers, double bandwidth, double latency) {
  return std::vector<Link>(workers, Link{.bandwidth = bandwidth, .latency = latency});
}

// It is asked for, it comes, and is confirmed.
TEST(ExchangeSeconds, ATransferTakesItsBytesAndThreeWays) {
  const std::vector<TransferStep> steps = {{.to = {1, -1}, .bytes = {1000, 0}}};
  EXPECT_DOUBLE_EQ(exchange_seconds(steps, same_links(2, 1e3, 0)), kByteSeconds);
  EXPECT_DOUBLE_EQ(exchange_seconds(steps, same_links(2, 1e3, 0.25)), kByteSeconds + 1.5);
}

TEST(ExchangeSeconds, BothWaysAtOnceTakeNoLonger) {
  const std::vector<TransferStep> steps = {{.to = {1, 0}, .bytes = {1000, 1000}}};
  EXPECT_DOUBLE_EQ(exchange_seconds(steps, same_links(2, 1e3, 0)), kByteSeconds);
}

TEST(ExchangeSeconds, TheSlowerOfTwoLinksCounts) {
  const std::vector<TransferStep> steps = {{.to = {1, -1}, .bytes = {1000, 0}}};
  EXPECT_DOUBLE_EQ(exchange_seconds(steps, {{.bandwidth = 1e6}, {.bandwidth = 1e3}}), kByteSeconds);
  EXPECT_DOUBLE_EQ(exchange_seconds(steps, {{.bandwidth = 1e3}, {.bandwidth = 1e6}}), kByteSeconds);
}

// 0 -> 1 is slow and 2 -> 3 fast; 2's second step does not wait for 0's first.
TEST(ExchangeSeconds, AWorkerWaitsOnlyForItsOwnTransfers) {
  const std::vector<TransferStep> steps = {{.to = {1, -1, 3, -1}, .bytes = {3000, 0, 1000, 0}},
                                           {.to = {-1, -1, 3, -1}, .bytes = {0, 0, 1000, 0}}};
  EXPECT_DOUBLE_EQ(exchange_seconds(steps, same_links(4, 1e3, 0)), 3 * kByteSeconds);
}

// 2 has finished sooner than 1, which it sends to next.
TEST(ExchangeSeconds, ATransferWaitsForItsReceiver) {
  const std::vector<TransferStep> steps = {{.to = {1, -1, 3, -1}, .bytes = {3000, 0, 1000, 0}},
                                           {.to = {-1, -1, 1, -1}, .bytes = {0, 0, 1000, 0}}};
  EXPECT_DOUBLE_EQ(exchange_seconds(steps, same_links(4, 1e3, 0)), 4 * kByteSeconds);
}

TEST(ExchangeSeconds, StepsOfOneWorkerFollowEachOther) {
  const std::vector<TransferStep> steps = {{.to = {1, -1, -1}, .bytes = {1000, 0, 0}},
                                           {.to = {2, -1, -1}, .bytes = {2000, 0, 0}}};
  EXPECT_DOUBLE_EQ(exchange_seconds(steps, same_links(3, 1e3, 0)), 3 * kByteSeconds);
}

// The busiest worker's bytes are a floor, and an averaging of equal parts reaches it.
TEST(TransferSteps, AnAverageTakesWhatItsBytesTake) {
  constexpr int kWorkers = 4;
  const auto all = everyone(kWorkers);
  const ExchangePlan plan = make_exchange_plan({{.size = 4'000'000, .holders = all, .receivers = all}}, kWorkers);
  const Traffic traffic = plan_traffic(plan)[0];
  double bytes = 0;
  for (const std::int64_t sent : traffic.sent) {
    bytes += static_cast<double>(sent);
  }
  const double seconds = exchange_seconds(transfer_steps(plan), same_links(kWorkers, 1e8, 0));
  EXPECT_NEAR(seconds, bytes * 8 * kFraming / 1e8, 1e-3 * seconds);
}

TEST(Messages, TakeAWayThereAndBackInEachStep) {
  EXPECT_DOUBLE_EQ(gather_seconds(same_links(5, 1, 0.5)), 8);
  EXPECT_DOUBLE_EQ(barrier_seconds(same_links(5, 1, 0.5)), 6);
  EXPECT_DOUBLE_EQ(barrier_seconds(same_links(1, 1, 0.5)), 0);
}

}  // namespace
}  // namespace resist
