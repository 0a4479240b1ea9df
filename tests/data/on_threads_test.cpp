#include "resist/data/on_threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

namespace resist {
namespace {

TEST(RunOnThreads, CallsTheBodyOnceForEach) {
  for (const int threads : {1, 2, 7}) {
    for (const std::size_t count : {0U, 1U, 3U, 100U}) {
      std::vector<std::atomic<int>> calls(count);
      run_on_threads(count, threads, [&](std::size_t i) { ++calls.at(i); });
      for (const auto& number : calls) {
        EXPECT_EQ(number, 1);
      }
    }
  }
}

TEST(RunOnThreads, RethrowsTheErrorOfTheFirst) {
  for (const int threads : {1, 2, 7}) {
    std::atomic<int> calls = 0;
    try {
      run_on_threads(1000, threads, [&](std::size_t i) {
        ++calls;
        if (i % 10 == 5) {
          throw std::runtime_error(std::to_string(i));
        }
      });
      ADD_FAILURE() << "no error";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), std::string("5"));
    }
    EXPECT_GE(calls, 6);
    EXPECT_LE(calls, 11 * threads);  // each thread fails at most once, and every tenth call fails
  }
}

}  // namespace
}  // namespace resist
