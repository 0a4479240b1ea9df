#include <gtest/gtest.h>

#include <thread>

#include "comm/conformance.h"
#include "resist/comm/store.h"

namespace resist {
namespace {

std::vector<std::unique_ptr<Communicator>> make_gloo_group(int workers, std::chrono::milliseconds deadline) {
  const Store store = Store::host(0, std::chrono::seconds(30));
  std::vector<std::unique_ptr<Communicator>> communicators(workers);
  std::vector<std::thread> threads;
  threads.reserve(workers);
  for (int rank = 0; rank < workers; ++rank) {
    threads.emplace_back([&, rank] {
      const Store joined = Store::join("127.0.0.1", store.port(), std::chrono::seconds(30));
      communicators[rank] = make_gloo_communicator(joined, rank, workers, "127.0.0.1", deadline);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  return communicators;
}

INSTANTIATE_TEST_SUITE_P(Gloo, CommunicatorConformance,
                         testing::Values(Backend{.name = "gloo", .make = make_gloo_group}),
                         [](const auto& instance) { return instance.param.name; });

TEST(Store, APortThatIsTakenIsNamed) {
  const Store store = Store::host(0, std::chrono::seconds(5));
  try {
    Store::host(store.port(), std::chrono::seconds(5));
    FAIL() << "two stores on one port";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(std::to_string(store.port())), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("--port"), std::string::npos);
  }
}

TEST(Store, KeepsValuesUnderPrefixes) {
  Store store = Store::host(0, std::chrono::seconds(5));
  Store under = store.under("a");
  under.set("key", "value");
  EXPECT_TRUE(under.has("key"));
  EXPECT_FALSE(store.has("key"));
  EXPECT_FALSE(store.under("b").has("key"));
  EXPECT_EQ(store.under("a").get("key"), "value");
}

TEST(Store, NobodyThereIsAnErrorWithTheAddress) {
  int port = 0;
  { port = Store::host(0, std::chrono::seconds(5)).port(); }
  try {
    Store::join("127.0.0.1", port, std::chrono::seconds(1));
    FAIL() << "joined a store that is gone";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("127.0.0.1:" + std::to_string(port)), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace resist
