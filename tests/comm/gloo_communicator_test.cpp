#include <gtest/gtest.h>

#include <thread>

#include "comm/conformance.h"
#include "resist/comm/message_checksum.h"
#include "resist/comm/store.h"
#include "resist/comm/tags.h"
#include "resist/core/failpoint.h"
#include "support/workers.h"

namespace resist {
namespace {

// `fences`: one for each worker.
std::vector<std::unique_ptr<Communicator>> make_gloo_group(const std::vector<std::uint64_t>& fences,
                                                           std::chrono::milliseconds deadline) {
  const int workers = static_cast<int>(fences.size());
  const Store store = Store::host(0, std::chrono::seconds(30));
  std::vector<std::unique_ptr<Communicator>> communicators(workers);
  std::vector<std::thread> threads;
  threads.reserve(workers);
  for (int rank = 0; rank < workers; ++rank) {
    threads.emplace_back([&, rank] {
      const Store joined = Store::join("127.0.0.1", store.port(), std::chrono::seconds(30));
      communicators[rank] = make_gloo_communicator(joined, rank, workers, "127.0.0.1", deadline, fences[rank]);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  return communicators;
}

INSTANTIATE_TEST_SUITE_P(Gloo, CommunicatorConformance,
                         testing::Values(Backend{.name = "gloo",
                                                 .make =
                                                     [](int workers, std::chrono::milliseconds deadline) {
                                                       return make_gloo_group(std::vector<std::uint64_t>(workers, 1),
                                                                              deadline);
                                                     }}),
                         [](const auto& instance) { return instance.param.name; });

// Worker 0 sends two messages to worker 1; what the latter says of them.
std::vector<std::string> errors_of_two_messages(const std::vector<std::uint64_t>& fences) {
  std::vector<std::string> errors;
  run_workers(make_gloo_group(fences, std::chrono::seconds(30)), [&](Communicator& communicator) {
    for (int message = 0; message < 2; ++message) {
      std::vector<std::byte> bytes(1000, std::byte{5});
      if (communicator.rank() == 0) {
        communicator.send(bytes, 1, round_tag(3))->wait();
        EXPECT_EQ(bytes, std::vector<std::byte>(1000, std::byte{5})) << "the sender's memory was changed";
        continue;
      }
      try {
        communicator.receive(bytes, 0, round_tag(3))->wait();
        errors.emplace_back();
      } catch (const CommError& error) {
        EXPECT_EQ(error.peer(), 0);
        errors.emplace_back(error.what());
      }
    }
  });
  return errors;
}

TEST(GlooMessages, ADamagedOneIsAnErrorThatNamesItsSenderAndItsRound) {
  corrupt_next_message();
  const auto errors = errors_of_two_messages({1, 1});
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_NE(
      errors[0].find("worker 1: receive from worker 0 at 127.0.0.1 failed: the checksum of its message of round 4 "
                     "(1000 bytes) is wrong"),
      std::string::npos)
      << errors[0];
  EXPECT_EQ(errors[1], "");
}

TEST(GlooMessages, OneOfAnotherJobOrGenerationIsAnError) {
  for (const std::string& error : errors_of_two_messages({message_fence("job", 1), message_fence("job", 2)})) {
    EXPECT_NE(error.find("belongs to another job, generation or round"), std::string::npos) << error;
  }
}

}  // namespace
}  // namespace resist
