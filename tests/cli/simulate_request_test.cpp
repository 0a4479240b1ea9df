#include "resist/cli/simulate_request.h"

#include <gtest/gtest.h>

#include "support/input_error.h"

namespace resist {
namespace {

SimulationRequest request(const std::vector<std::string>& args) {
  CLI::App app;
  CommandLine line(app, "simulate", "");
  describe_simulate(line);
  std::vector<std::string> all = {"simulate", "--bandwidth", "1gbit", "--speed", "1tflops"};
  all.insert(all.end(), args.begin(), args.end());
  app.parse(std::vector<std::string>(all.rbegin(), all.rend()));  // as CLI11 wants them
  return read_simulation(line);
}

std::string refused(const std::vector<std::string>& args) {
  return input_error([&] { request(args); });
}

TEST(SimulateRequest, HasWhatTheFlagsSay) {
  const SimulationRequest read =
      request({"--workers", "40", "--sites", "4", "--uplink", "1gbit", "--hierarchical", "--fail-per-hour", "0.1",
               "--cut-off-share", "0.5", "--checkpoint-every", "3", "--rounds", "7"});
  EXPECT_EQ(read.options.cluster.workers, 40);
  EXPECT_EQ(read.options.cluster.sites, 4);
  EXPECT_EQ(read.options.cluster.uplink_bandwidth, 1e9);
  EXPECT_TRUE(read.options.hierarchical);
  EXPECT_EQ(read.options.cluster.cut_off_share, 0.5);
  EXPECT_EQ(read.config.run.checkpoint_every, 3);
  EXPECT_EQ(read.options.rounds, 7);
}

TEST(SimulateRequest, RefusesFlagsThatDoNothingWithoutOthers) {
  const std::vector<std::vector<std::string>> needing = {
      {"--uplink", "1gbit", "--sites"},           {"--uplink-latency", "1ms", "--sites"},
      {"--group-rounds", "2", "--groups"},        {"--home-rounds", "2", "--homes"},
      {"--return-after", "9", "--fail-per-hour"}, {"--cut-off-share", "0.1", "--fail-per-hour"}};
  for (const auto& flags : needing) {
    EXPECT_EQ(refused({flags[0], flags[1]}), flags[0] + " does nothing without " + flags[2] + "; give both or neither");
    request({flags[0], flags[1], flags[2], "1"});
  }
}

TEST(SimulateRequest, RefusesCheckpointsOfGroups) {
  request({"--groups", "1", "--checkpoint-every", "5"});
  EXPECT_TRUE(contains(refused({"--groups", "2", "--checkpoint-every", "5"}),
                       "--checkpoint-every can't be used with --groups"));
}

}  // namespace
}  // namespace resist
