#include "resist/simulate/cluster_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "support/input_error.h"

namespace resist {
namespace {

ClusterModel model_of(int workers) {
  ClusterModel model;
  model.workers = workers;
  model.speeds = {1e11};
  model.bandwidths = {1e9};
  return model;
}

TEST(Cluster, WithoutSpreadHasTheGivenValues) {
  ClusterModel model = model_of(3);
  model.speeds = {1e9, 2e9, 3e9};
  model.latencies = {0.1, 0.2, 0.3};
  const Cluster cluster(model, 1);
  EXPECT_EQ(cluster.speeds, model.speeds);
  for (int worker = 0; worker < 3; ++worker) {
    EXPECT_EQ(cluster.links[worker].bandwidth, 1e9);
    EXPECT_EQ(cluster.links[worker].latency, model.latencies[worker]);
  }
}

TEST(Cluster, SpreadsAroundTheMedianAndBySeedOnly) {
  ClusterModel model = model_of(4001);
  model.speed_spread = 0.5;
  const Cluster cluster(model, 7);
  std::vector<double> speeds = cluster.speeds;
  std::ranges::sort(speeds);
  EXPECT_NEAR(std::log(speeds[2000] / 1e11), 0, 0.05);
  EXPECT_NEAR(std::log(speeds[3366] / 1e11), 0.5, 0.05);  // one standard deviation: 84.1 %
  EXPECT_EQ(Cluster(model, 7).speeds, cluster.speeds);
  EXPECT_NE(Cluster(model, 8).speeds, cluster.speeds);
  EXPECT_EQ(cluster.links[9].bandwidth, 1e9);
}

TEST(Cluster, SitesAreConsecutiveAndEven) {
  ClusterModel model = model_of(10);
  model.sites = 3;
  const Cluster cluster(model, 1);
  std::vector<int> sites;
  sites.reserve(10);
  for (int worker = 0; worker < 10; ++worker) {
    sites.push_back(cluster.site(worker));
  }
  EXPECT_EQ(sites, (std::vector<int>{0, 0, 0, 0, 1, 1, 1, 2, 2, 2}));
}

TEST(ClusterDraws, AreUniformExponentialAndDistinctHands) {
  const ClusterDraws draws(3);
  double sum = 0;
  double times = 0;
  constexpr int kDraws = 20'000;
  for (int position = 0; position < kDraws; ++position) {
    sum += draws.uniform(ClusterDraws::Kind::cut_off, 5, position) / kDraws;
    times += draws.exponential(ClusterDraws::Kind::life, 5, position, 100) / kDraws;
  }
  EXPECT_NEAR(sum, 0.5, 0.01);
  EXPECT_NEAR(times, 100, 3);
  std::vector<int> taken(10, 0);
  for (int position = 0; position < 3000; ++position) {
    const std::vector<int> hand = draws.hand(1, position, 3, 10);
    ASSERT_EQ(std::set<int>(hand.begin(), hand.end()).size(), 3U);
    ASSERT_TRUE(std::ranges::is_sorted(hand));
    for (const int card : hand) {
      ++taken.at(card);
    }
  }
  for (const int count : taken) {
    EXPECT_NEAR(count, 900, 150);
  }
}

TEST(ClusterModel, TheEvenOneHasTheMeanAndNoFailures) {
  ClusterModel model = model_of(2);
  model.speeds = {1e9, 3e9};
  model.jitter = model.speed_spread = model.bandwidth_spread = 0.3;
  model.failures_per_hour = 1;
  model.known_outages = {{.seconds = 5, .worker = 1}};
  const ClusterModel even = model.even();
  EXPECT_EQ(even.speeds, (std::vector<double>{2e9}));
  EXPECT_EQ(even.failures_per_hour + even.jitter + even.speed_spread + even.bandwidth_spread, 0);
  EXPECT_TRUE(even.known_outages.empty());
}

TEST(ClusterModel, RefusesWhatIsNoCluster) {
  const auto refused = [](const auto& change) {
    ClusterModel model = model_of(4);
    change(model);
    return input_error([&] { model.validate(); });
  };
  EXPECT_TRUE(contains(refused([](ClusterModel& model) { model.workers = 0; }), "--workers is 0"));
  EXPECT_TRUE(contains(refused([](ClusterModel& model) { model.speeds = {}; }),
                       "--speed is needed: give one value, or one for each worker, such as --speed 40gflops"));
  EXPECT_TRUE(contains(refused([](ClusterModel& model) {
                         model.bandwidths = {1e9, 1e9};
                       }),
                       "--bandwidth has 2 values for 4 workers"));
  EXPECT_TRUE(contains(refused([](ClusterModel& model) { model.cut_off_share = 2; }), "--cut-off-share is 2"));
  EXPECT_TRUE(contains(refused([](ClusterModel& model) { model.sites = 5; }), "--sites is 5"));
  EXPECT_TRUE(contains(refused([](ClusterModel& model) { model.sites = 2; }), "--uplink is 0"));
  EXPECT_TRUE(contains(refused([](ClusterModel& model) { model.jitter = std::nan(""); }), "--jitter is nan"));
}

}  // namespace
}  // namespace resist
