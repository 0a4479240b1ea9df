#include "resist/cli/simulate_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "support/input_error.h"

namespace resist {
namespace {

class SimulateReport : public testing::Test {
 protected:
  SimulateReport() {
    request_.config.model.depths = {1, 1, 5, 1};
    request_.config.model.width = 4;
    request_.config.model.classes = 10;
    request_.config.model.channels = 3;
    request_.config.model.image_size = 32;
    request_.options.rounds = 20;
    request_.options.cluster.speeds = {1e9};
    request_.options.cluster.bandwidths = {1e9};
  }

  std::string printed(OutputFormat format = OutputFormat::table) const {
    std::ostringstream out;
    print_simulation(request_, format, out);
    return out.str();
  }

  SimulationRequest request_;
};

TEST_F(SimulateReport, SaysWhatItCameTo) {
  const std::string text = printed();
  EXPECT_TRUE(contains(text, "resist, 4 workers; "));
  EXPECT_TRUE(contains(text, "rounds              20 in 0:"));
  EXPECT_TRUE(contains(text, "100.0 % of even workers that never fail"));
  EXPECT_FALSE(contains(text, "stalled"));
}

TEST_F(SimulateReport, SaysHowManyGroupsAreStalledAndWhy) {
  request_.options.groups = 2;
  request_.options.cluster.return_seconds = 0;
  request_.options.cluster.known_outages = {{.seconds = 1e-3, .worker = 0}, {.seconds = 1e-3, .worker = 1}};
  const std::string one = printed();
  EXPECT_TRUE(contains(one, "1 of 2 groups stalled after 0 of 20 rounds: nobody who dies returns"));
  EXPECT_TRUE(contains(one, "rounds              0 to 20 in 0:"));
  EXPECT_TRUE(contains(one, "samples/s of 2 workers"));
  request_.options.cluster.known_outages.push_back({.seconds = 1e-3, .worker = 2});
  request_.options.cluster.known_outages.push_back({.seconds = 1e-3, .worker = 3});
  EXPECT_TRUE(contains(printed(), "2 of 2 groups stalled, the first after 0 of 20 rounds: nobody who dies returns"));
  request_.options.groups = 1;
  EXPECT_TRUE(contains(printed(), "\nstalled after 0 of 20 rounds: nobody who dies returns"));
  request_.options.cluster.known_outages.clear();
  request_.options.cluster.failures_per_hour = 1e6;
  request_.options.cluster.return_seconds = 1e-3;
  request_.options.cluster.speeds = {1e6};
  EXPECT_TRUE(contains(printed(), "\nstalled after 0 of 20 rounds: workers die faster than a round can be finished"));
}

TEST_F(SimulateReport, AsJsonHasWhatWasSimulatedAndWhatCameOut) {
  const auto json = nlohmann::json::parse(printed(OutputFormat::json));
  EXPECT_EQ(json["simulated"]["options"]["width"], 4);
  EXPECT_EQ(json["result"]["rounds"], 20);
  EXPECT_EQ(json["result"]["stalled"], false);
}

}  // namespace
}  // namespace resist
