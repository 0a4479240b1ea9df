#include "resist/data/corrupt_counter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "expect_input_error.h"

namespace resist {
namespace {

TEST(CorruptCounter, WithoutALimitTheErrorSaysHowToLeavePicturesOut) {
  CorruptCounter counter(0, "'set'");
  expect_input_error([&] { counter.leave_out(3, InputError("can't use 'x.jpg': cut short")); },
                     {"can't use 'x.jpg': cut short", "--skip-corrupt N"});
}

TEST(CorruptCounter, CountsEachPictureOnce) {
  CorruptCounter counter(2, "'set'");
  for (int round = 0; round < 3; ++round) {
    EXPECT_NO_THROW(counter.leave_out(7, InputError("x")));
    EXPECT_NO_THROW(counter.leave_out(9, InputError("x")));
  }
  for (int round = 0; round < 2; ++round) {
    expect_input_error([&] { counter.leave_out(8, InputError("can't use 'y.jpg'")); },
                       {"can't use 'y.jpg'", "number 3 of 'set'", "--skip-corrupt is 2", "raise it"});
  }
  EXPECT_NO_THROW(counter.leave_out(9, InputError("x")));
}

TEST(CorruptCounter, LetsExactlyTheLimitPassFromSeveralThreads) {
  CorruptCounter counter(10, "'set'");
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int index = 0; index < 10; ++index) {
        try {
          counter.leave_out(thread * 10 + index, InputError("x"));
        } catch (const InputError&) {
          ++refused;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(refused, 30);
}

}  // namespace
}  // namespace resist
