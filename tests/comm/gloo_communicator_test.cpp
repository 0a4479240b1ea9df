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

}  // namespace
}  // namespace resist
