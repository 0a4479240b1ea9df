#include "resist/data/in_order.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

namespace resist {
namespace {

TEST(MakeInOrder, TakesEveryResultInOrderOnTheCallersThread) {
  for (const std::int64_t count : {0, 1, 8, 9, 1000}) {
    std::vector<std::int64_t> taken;
    const auto caller = std::this_thread::get_id();
    make_in_order(
        count, [](std::int64_t index) { return index * index; },
        [&](std::int64_t index, std::int64_t result) {
          EXPECT_EQ(result, index * index);
          EXPECT_EQ(std::this_thread::get_id(), caller);
          taken.push_back(index);
        });
    std::vector<std::int64_t> expected(static_cast<std::size_t>(count));
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(taken, expected);
  }
}

TEST(MakeInOrder, WhatIsThrownEndsIt) {
  std::int64_t taken = 0;
  const auto make_until_20 = [](std::int64_t index) {
    if (index == 20) {
      throw std::runtime_error("can't make 20");
    }
    return index;
  };
  EXPECT_THROW(make_in_order(1000, make_until_20, [&](std::int64_t, std::int64_t) { ++taken; }), std::runtime_error);
  EXPECT_LE(taken, 20);
  std::atomic<std::int64_t> made = 0;
  EXPECT_THROW(make_in_order(
                   100'000, [&](std::int64_t) { return ++made; },
                   [](std::int64_t index, std::int64_t) {
                     if (index == 3) {
                       throw std::runtime_error("can't take 3");
                     }
                   }),
               std::runtime_error);
  EXPECT_LT(made, 100'000);
}

}  // namespace
}  // namespace resist
