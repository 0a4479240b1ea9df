#include "resist/simulate/transfer_loads.h"

#include <gtest/gtest.h>

#include <numeric>

#include "simulate/simulated.h"

namespace resist {
namespace {

double sum_of(const std::vector<Load>& loads, double Load::*direction) {
  return std::accumulate(loads.begin(), loads.end(), 0.0,
                         [&](double sum, const Load& load) { return sum + load.*direction; });
}

// Segments of every kind: held and wanted by all, by some, by one, by nobody else.
std::vector<Segment> segments() {
  return {{.size = 1'000'000, .holders = everyone(6), .receivers = everyone(6)},
          {.size = 300'000, .holders = {0, 2, 5}, .receivers = {1, 2, 3}},
          {.size = 200'000, .holders = {4}, .receivers = {4}},
          {.size = 200'000, .holders = {1}, .receivers = {0, 5}},
          {.size = 400'000, .holders = {0, 1, 2, 3}, .receivers = everyone(6), .format = WireFormat::int6}};
}

TEST(FlatLoads, AreThePlansBytes) {
  const ExchangePlan plan = make_exchange_plan(segments(), 6);
  const auto total = total_loads(flat_loads(segments(), std::vector<int>(6, 0), 1));
  for (int worker = 0; worker < 6; ++worker) {
    const Traffic traffic = plan_traffic(plan)[worker];
    const double sent = std::accumulate(traffic.sent.begin(), traffic.sent.end(), 0.0);
    const double received = std::accumulate(traffic.received.begin(), traffic.received.end(), 0.0);
    EXPECT_NEAR(total[worker].sent, sent, 0.001 * sent + 100);
    EXPECT_NEAR(total[worker].received, received, 0.001 * received + 100);
  }
}

TEST(FlatLoads, UplinksCarryWhatGoesBetweenSites) {
  const std::vector<int> sites = {0, 0, 0, 1, 1, 1};
  const ExchangePlan plan = make_exchange_plan(segments(), 6);
  std::vector<double> out(2, 0);
  std::vector<double> in(2, 0);
  for (int worker = 0; worker < 6; ++worker) {
    const Traffic traffic = plan_traffic(plan)[worker];
    for (int peer = 0; peer < 6; ++peer) {
      if (sites[worker] != sites[peer]) {
        out[sites[worker]] += static_cast<double>(traffic.sent[peer]);
        in[sites[worker]] += static_cast<double>(traffic.received[peer]);
      }
    }
  }
  const auto legs = flat_loads(segments(), sites, 2);
  EXPECT_DOUBLE_EQ(legs[0].crossing, 0.6);  // 3 of 5 peers
  for (int site = 0; site < 2; ++site) {
    EXPECT_NEAR(legs[0].uplinks[site].sent + legs[1].uplinks[site].sent, out[site], 0.001 * out[site]);
    EXPECT_NEAR(legs[0].uplinks[site].received + legs[1].uplinks[site].received, in[site], 0.001 * in[site]);
  }
}

TEST(FlatLoads, ALegInWhichNobodySendsHasNoSteps) {
  const auto legs = flat_loads({{.size = 1000, .holders = {1}, .receivers = {0, 5}}}, std::vector<int>(6, 0), 1);
  EXPECT_EQ(legs[0].steps, 0);
  EXPECT_EQ(legs[1].steps, 5);
}

TEST(HierarchicalLoads, WhatIsSentArrives) {
  for (const std::vector<int>& sites : {std::vector<int>{0, 0, 0, 1, 1, 1}, {0, 0, 1, 1, 2, 2}, {0, 1, 1, 1, 1, 2}}) {
    const auto legs = hierarchical_loads(segments(), sites, 3);
    ASSERT_EQ(legs.size(), 3U);
    for (const Leg& leg : legs) {
      const double sent = sum_of(leg.workers, &Load::sent);
      EXPECT_NEAR(sent, sum_of(leg.workers, &Load::received), 1e-6 * sent);
    }
    const Leg& between = legs[1];
    EXPECT_NEAR(sum_of(between.uplinks, &Load::sent), sum_of(between.workers, &Load::sent), 1);
    EXPECT_NEAR(sum_of(between.uplinks, &Load::received), sum_of(between.workers, &Load::received), 1);
  }
}

// By hand: 2 sites of 2, a segment of 8 bytes that all hold and all want.
TEST(HierarchicalLoads, OfOneSegmentByHand) {
  const std::vector<Segment> one = {{.size = 2, .holders = everyone(4), .receivers = everyone(4)}};
  const auto legs = hierarchical_loads(one, {0, 0, 1, 1}, 2);
  for (int worker = 0; worker < 4; ++worker) {
    EXPECT_DOUBLE_EQ(legs[0].workers[worker].sent, 4);  // half of it to the neighbour
    EXPECT_DOUBLE_EQ(legs[1].workers[worker].sent, 4);  // a quarter of it to the other site, twice
    EXPECT_DOUBLE_EQ(legs[1].workers[worker].received, 4);
    EXPECT_DOUBLE_EQ(legs[2].workers[worker].received, 4);  // the neighbour's half
  }
  EXPECT_DOUBLE_EQ(legs[1].uplinks[0].sent, 8);
  EXPECT_EQ(legs[0].steps, 1);
  EXPECT_EQ(legs[1].steps, 2);
}

TEST(HierarchicalLoads, AnUplinkCarriesLessThanFlatOnes) {
  constexpr int kWorkers = 40;
  std::vector<int> sites;
  sites.reserve(kWorkers);
  for (int worker = 0; worker < kWorkers; ++worker) {
    sites.push_back(worker / 20);
  }
  const std::vector<Segment> one = {
      {.size = 1'000'000, .holders = everyone(kWorkers), .receivers = everyone(kWorkers)}};
  const auto flat = flat_loads(one, sites, 2);
  const auto hierarchical = hierarchical_loads(one, sites, 2);
  // 20 workers each send half of their own values, against the site's sum once.
  EXPECT_NEAR(flat[0].uplinks[0].sent + flat[1].uplinks[0].sent, 20 * 4e6, 1);
  EXPECT_NEAR(hierarchical[1].uplinks[0].sent, 4e6, 1);
}

}  // namespace
}  // namespace resist
