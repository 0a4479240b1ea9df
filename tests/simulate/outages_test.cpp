#include "resist/simulate/outages.h"

#include <gtest/gtest.h>

#include <limits>

namespace resist {
namespace {

constexpr double kForever = std::numeric_limits<double>::infinity();

ClusterModel failing(int workers, double per_hour) {
  ClusterModel model;
  model.workers = workers;
  model.speeds = {1e11};
  model.bandwidths = {1e9};
  model.failures_per_hour = per_hour;
  model.return_seconds = 360;
  return model;
}

TEST(Outages, AWorkerDiesAndReturnsInTurnAtItsRates) {
  ClusterModel model = failing(1, 2);
  model.cut_off_share = 0.25;
  const Cluster cluster(model, 1);
  Outages outages(cluster, 0, 1);
  constexpr int kLives = 4000;
  double last = 0;
  double lived = 0;
  double absent = 0;
  int cut_off = 0;
  for (int life = 0; life < kLives; ++life) {
    const auto death = outages.take(kForever);
    ASSERT_TRUE(death && !death->returns);
    lived += death->seconds - last;
    cut_off += death->cut_off ? 1 : 0;
    const auto back = outages.take(kForever);
    ASSERT_TRUE(back && back->returns);
    absent += back->seconds - death->seconds;
    last = back->seconds;
  }
  EXPECT_NEAR(lived / kLives, 1800, 90);
  EXPECT_NEAR(absent / kLives, 360, 18);
  EXPECT_NEAR(cut_off, kLives / 4.0, 150);
}

TEST(Outages, ComeInOrderAndNotTooEarly) {
  const Cluster cluster(failing(50, 10), 1);
  Outages outages(cluster, 0, 50);
  double last = 0;
  for (double until = 100; until < 2000; until += 100) {
    while (const auto outage = outages.take(until)) {
      EXPECT_GE(outage->seconds, last);
      EXPECT_LE(outage->seconds, until);
      last = outage->seconds;
    }
  }
}

TEST(Outages, OfOneWorkerDoNotDependOnOthers) {
  const Cluster cluster(failing(50, 10), 1);
  Outages all(cluster, 0, 50);
  Outages some(cluster, 7, 3);
  for (int i = 0; i < 20; ++i) {
    const auto mine = some.take(kForever);
    auto same = all.take(kForever);
    while (same->worker < 7 || same->worker >= 10) {
      same = all.take(kForever);
    }
    EXPECT_EQ(mine->worker, same->worker);
    EXPECT_EQ(mine->seconds, same->seconds);
    EXPECT_EQ(mine->returns, same->returns);
  }
}

TEST(Outages, KnownOnesComeInTheirPlacesAndOnlyOfTheirWorkers) {
  ClusterModel model = failing(4, 0);
  model.known_outages = {{.seconds = 20, .worker = 1, .returns = true},
                         {.seconds = 10, .worker = 1, .cut_off = true},
                         {.seconds = 15, .worker = 3}};
  const Cluster cluster(model, 1);
  Outages outages(cluster, 0, 3);
  EXPECT_FALSE(outages.take(9.9));
  const auto death = outages.take(10);
  ASSERT_TRUE(death);
  EXPECT_TRUE(!death->returns && death->cut_off && death->worker == 1);
  EXPECT_TRUE(outages.take(kForever)->returns);
  EXPECT_FALSE(outages.take(kForever));
}

TEST(Outages, WhoNeverReturnsDiesOnce) {
  ClusterModel model = failing(3, 1);
  model.return_seconds = 0;
  const Cluster cluster(model, 1);
  Outages outages(cluster, 0, 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(outages.take(kForever));
  }
  EXPECT_FALSE(outages.take(kForever));
}

}  // namespace
}  // namespace resist
