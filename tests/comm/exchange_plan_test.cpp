#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "resist/comm/exchange.h"

namespace resist {
namespace {

TEST(ExchangePlan, CoversEachElementOnceByOneOfItsHolders) {
  const std::vector<Segment> segments = {{.size = 103, .holders = {0, 1, 2}, .receivers = {0, 1, 2}},
                                         {.size = 50, .holders = {2}, .receivers = {0}},
                                         {.size = 7, .holders = {0, 2}, .receivers = {1}}};
  const ExchangePlan plan = make_exchange_plan(segments, 3, 10);
  std::vector<std::vector<int>> covered;
  for (const Segment& segment : segments) {
    covered.emplace_back(segment.size);
  }
  for (const SegmentPart& part : plan.parts) {
    EXPECT_EQ(std::ranges::count(segments[part.segment].holders, part.owner), 1);
    for (std::int64_t i = 0; i < part.size; ++i) {
      ++covered[part.segment][part.offset + i];
    }
  }
  for (const auto& segment : covered) {
    EXPECT_EQ(segment, std::vector<int>(segment.size(), 1));
  }
}

TEST(ExchangePlan, MovesNothingThatStaysWithItsOnlyHolder) {
  const ExchangePlan plan = make_exchange_plan({{.size = 100, .holders = {1}, .receivers = {1}}}, 2);
  const Traffic traffic = plan_traffic(plan, 1);
  EXPECT_EQ(std::accumulate(traffic.sent.begin(), traffic.sent.end(), std::int64_t{0}), 0);
}

TEST(ExchangePlan, AMeanOverAllSendsAndReceivesTwiceTheOthersShares) {
  const ExchangePlan plan = make_exchange_plan({{.size = 4000, .holders = {0, 1, 2, 3}, .receivers = {0, 1, 2, 3}}}, 4);
  for (int worker = 0; worker < 4; ++worker) {
    const Traffic traffic = plan_traffic(plan, worker);
    EXPECT_EQ(std::accumulate(traffic.sent.begin(), traffic.sent.end(), std::int64_t{0}), 2 * 3 * 1000 * 4);
    EXPECT_EQ(traffic.sent, traffic.received);
  }
}

}  // namespace
}  // namespace resist
