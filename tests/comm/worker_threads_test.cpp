#include "resist/comm/worker_threads.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <functional>
#include <stdexcept>

#include "resist/comm/agreement.h"
#include "resist/comm/collectives.h"
#include "resist/comm/tags.h"

namespace resist {
namespace {

std::string error_of(const std::function<void(Communicator&)>& work) {
  try {
    run_worker_threads(3, std::chrono::seconds(30), work);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

TEST(WorkerThreads, AreOneGroup) {
  std::array<int, 3> sums{};
  run_worker_threads(3, std::chrono::seconds(30), [&](Communicator& communicator) {
    for (const int rank : all_gather_value(communicator, communicator.rank(), kControlTag)) {
      sums.at(static_cast<std::size_t>(communicator.rank())) += 1 + rank;
    }
  });
  EXPECT_EQ(sums, (std::array{6, 6, 6}));
}

TEST(WorkerThreads, TheErrorThatOthersFollowFromIsThrown) {
  EXPECT_EQ(error_of([](Communicator& communicator) {
              if (communicator.rank() == 2) {
                throw std::runtime_error("the disk is full");
              }
              communicator.barrier();  // ends with a lost peer
            }),
            "the disk is full");
  EXPECT_EQ(error_of([](Communicator& communicator) {
              const bool fails = communicator.rank() == 1;
              agree_on_failure(communicator, fails ? std::make_exception_ptr(std::runtime_error("no")) : nullptr);
            }),
            "no");
}

TEST(WorkerThreads, WhereAllOnlyFollowOneOfThemIsThrown) {
  EXPECT_EQ(error_of([](Communicator& /*communicator*/) { throw PeerFailed(1); }), "another worker failed");
}

}  // namespace
}  // namespace resist
