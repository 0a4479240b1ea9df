#include "resist/cluster/cores.h"

#include <gtest/gtest.h>

#include <numeric>

namespace resist {
namespace {

Cores cores(const std::string& machine, int first, int count, double quota = 0, int threads = 0) {
  std::vector<int> allowed(static_cast<std::size_t>(count));
  std::iota(allowed.begin(), allowed.end(), first);
  return {.machine = machine, .allowed = allowed, .quota = quota, .threads = threads};
}

TEST(ParseCpuMax, ReadsWhatTheKernelWrites) {
  EXPECT_EQ(parse_cpu_max("150000 100000\n"), 1.5);
  EXPECT_EQ(parse_cpu_max("max 100000\n"), std::nullopt);
  for (const char* nonsense : {"", "12", "-1 100000", "5 0", "a b"}) {
    EXPECT_EQ(parse_cpu_max(nonsense), std::nullopt) << nonsense;
  }
}

TEST(OwnCores, HasAtLeastOneCoreAndAMachine) {
  const Cores own = own_cores(3);
  EXPECT_FALSE(own.allowed.empty());
  EXPECT_FALSE(own.machine.empty());
  EXPECT_EQ(own.threads, 3);
}

TEST(ShareCores, DividesAMachinesCoresAmongItsWorkers) {
  const std::vector<Cores> workers = {cores("a", 0, 8), cores("b", 0, 2), cores("a", 0, 8), cores("a", 0, 8)};
  std::vector<int> used;
  for (const int worker : {0, 2, 3}) {
    const CoreShare share = share_cores(workers, worker);
    EXPECT_EQ(share.threads, 2);
    EXPECT_GE(share.pinned.size(), 2U);
    used.insert(used.end(), share.pinned.begin(), share.pinned.end());
  }
  EXPECT_EQ(used, workers[0].allowed) << "all cores, each once";
  const CoreShare alone = share_cores(workers, 1);
  EXPECT_EQ(alone.threads, 2);
  EXPECT_TRUE(alone.pinned.empty());
}

TEST(ShareCores, MoreWorkersThanCoresGetAThreadEachAndGoWhereThereIsRoom) {
  const std::vector<Cores> workers(4, cores("a", 0, 2));
  for (int worker = 0; worker < 4; ++worker) {
    const CoreShare share = share_cores(workers, worker);
    EXPECT_EQ(share.threads, 1);
    EXPECT_TRUE(share.pinned.empty());
  }
}

TEST(ShareCores, ALaunchersBindingIsKept) {
  const std::vector<Cores> workers = {cores("a", 0, 4), cores("a", 4, 4)};
  for (int worker = 0; worker < 2; ++worker) {
    EXPECT_EQ(share_cores(workers, worker).threads, 4);
    EXPECT_TRUE(share_cores(workers, worker).pinned.empty());
  }
}

TEST(ShareCores, AQuotaCountsAsFewerCores) {
  EXPECT_EQ(share_cores({cores("a", 0, 16, 3.5)}, 0).threads, 3);
  EXPECT_EQ(share_cores(std::vector<Cores>(2, cores("a", 0, 16, 3.5)), 1).threads, 1);
  EXPECT_EQ(share_cores({cores("a", 0, 16, 0.5)}, 0).threads, 1);
}

TEST(ShareCores, GivenThreadsWinAndPinOnlyWhereTheyFit) {
  const std::vector<Cores> fits(2, cores("a", 0, 4, 0, 2));
  EXPECT_EQ(share_cores(fits, 1).threads, 2);
  EXPECT_EQ(share_cores(fits, 1).pinned, (std::vector<int>{2, 3}));
  const std::vector<Cores> too_many = {cores("a", 0, 4, 0, 3), cores("a", 0, 4, 0, 1)};
  for (int worker = 0; worker < 2; ++worker) {
    EXPECT_EQ(share_cores(too_many, worker).threads, too_many[static_cast<std::size_t>(worker)].threads);
    EXPECT_TRUE(share_cores(too_many, worker).pinned.empty());
  }
}

}  // namespace
}  // namespace resist
