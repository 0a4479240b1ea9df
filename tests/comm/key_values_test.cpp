#include "resist/comm/key_values.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace resist {
namespace {

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(KeyValues, HoldsWhatWasSetLast) {
  KeyValues values;
  EXPECT_FALSE(values.find("key"));
  values.set("key", "one");
  values.set("key", std::string("t\0wo", 4));
  EXPECT_EQ(values.find("key"), std::string("t\0wo", 4));
}

TEST(KeyValues, OnlyTheFirstOfAllWhoTrySetsAKey) {
  constexpr int kThreads = 8;
  KeyValues values;
  std::vector<std::string> held(kThreads);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] { held[thread] = values.set_first("key", std::to_string(thread)); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const std::string winner = *values.find("key");
  EXPECT_EQ(held[std::stoi(winner)], winner);
  EXPECT_EQ(held, std::vector<std::string>(kThreads, winner));
}

TEST(KeyValues, EveryAdditionCounts) {
  constexpr int kThreads = 8;
  constexpr int kTimes = 500;
  KeyValues values;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < kTimes; ++i) {
        values.add("sum", 2);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(values.add("sum", -1), 2 * kThreads * kTimes - 1);
}

TEST(KeyValues, AddsToNumbersOnlyAndKeepsThemInBounds) {
  KeyValues values;
  values.set("text", "1x");
  EXPECT_NE(refusal([&] { values.add("text", 1); }).find("'text' holds no number"), std::string::npos);
  values.add("much", std::numeric_limits<std::int64_t>::max());
  EXPECT_NE(refusal([&] { values.add("much", 1); }).find("too large"), std::string::npos);
  EXPECT_EQ(values.find("much"), std::to_string(std::numeric_limits<std::int64_t>::max()));
}

TEST(KeyValues, ForgetsAPrefixAndNothingElse) {
  KeyValues values;
  for (const char* key : {"a", "a/", "a/1", "a/2/x", "a0", "b/1"}) {
    values.set(key, "");
  }
  values.forget("a/");
  EXPECT_EQ(values.size(), 3U);
  for (const char* key : {"a", "a0", "b/1"}) {
    EXPECT_TRUE(values.find(key)) << key;
  }
}

TEST(KeyValues, RefusesWhatGoesPastItsLimitsAndKeepsWhatItHas) {
  KeyValues values({.keys = 3, .bytes = 20, .value_bytes = 10});
  values.set("1", "a");
  values.set("2", "b");
  EXPECT_NE(refusal([&] { values.set("1", "12345678901"); }).find("the most is 10"), std::string::npos);
  EXPECT_NE(refusal([&] { values.set("12345678901", ""); }).find("the most is 10"), std::string::npos);
  values.set_first("3", "1234567890");  // 15 bytes now
  for (const auto& call :
       std::vector<std::function<void()>>{[&] { values.set("4", ""); }, [&] { values.add("4", 1); },
                                          [&] { values.set_first("4", ""); }, [&] { values.set("1", "1234567"); }}) {
    EXPECT_NE(refusal(call).find("the store is full"), std::string::npos);
  }
  EXPECT_EQ(values.find("1"), "a");
  EXPECT_FALSE(values.find("4"));
  values.set("3", "");  // replacing gives bytes back
  values.set("1", "1234567890");
  values.forget("1");
  values.set("4", "1234567890");
}

TEST(KeyValues, WaitingIsToldOnceByWhoeverSetsTheKey) {
  KeyValues values;
  std::vector<std::string> told;
  const auto tell = [&](const std::string& value) { told.push_back(value); };
  values.wait("key", tell);
  values.wait("sum", tell);
  values.wait("first", tell);
  values.set("other", "");
  EXPECT_TRUE(told.empty());
  values.set("key", "1");
  values.set("key", "2");
  values.add("sum", 3);
  values.set_first("first", "4");
  values.wait("key", tell);  // there already
  EXPECT_EQ(told, (std::vector<std::string>{"1", "3", "4", "2"}));
}

TEST(KeyValues, WhoStopsWaitingIsNotTold) {
  KeyValues values;
  bool told = false;
  const auto waiting = values.wait("key", [&](const std::string& /*value*/) { told = true; });
  EXPECT_TRUE(values.stop_waiting(waiting));
  EXPECT_FALSE(values.stop_waiting(waiting));
  values.set("key", "");
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace resist
