#include "resist/comm/in_process.h"

#include <gtest/gtest.h>

#include "comm/conformance.h"
#include "support/workers.h"

namespace resist {
namespace {

INSTANTIATE_TEST_SUITE_P(InProcess, CommunicatorConformance,
                         testing::Values(Backend{.name = "in_process", .make = make_in_process_group}),
                         [](const auto& instance) { return instance.param.name; });

TEST(InProcess, ASizeThatDiffersIsAnErrorOnBothSides) {
  const auto errors = run_workers(make_in_process_group(2, std::chrono::seconds(10)), [](Communicator& communicator) {
    std::vector<std::byte> buffer(communicator.rank() == 0 ? 10 : 11);
    const auto transfer =
        communicator.rank() == 0 ? communicator.send(buffer, 1, 1) : communicator.receive(buffer, 0, 1);
    transfer->wait();
  });
  for (const std::string& error : errors) {
    EXPECT_NE(error.find("10 bytes were sent but 11 expected"), std::string::npos) << error;
  }
}

TEST(InProcess, RefusesAWorldWithoutTheWorker) {
  EXPECT_EQ(make_in_process_group(1).size(), 1U);
  EXPECT_TRUE(make_in_process_group(0).empty());
}

}  // namespace
}  // namespace resist
