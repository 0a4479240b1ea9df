#include "resist/cluster/worker_register.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace resist {
namespace {

using namespace std::chrono_literals;

class WorkerRegisterTest : public testing::Test {
 protected:
  Store store_ = Store::host(0, 30s);
  WorkerRegister names_{store_};
};

TEST_F(WorkerRegisterTest, TheFirstListOfAGenerationCounts) {
  EXPECT_FALSE(names_.members(1));
  names_.write(1, {.members = {0, 2, 5}, .heard = 3});
  names_.write(1, {.members = {0}, .heard = 0});
  const auto list = names_.members(1);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->members, (std::vector<int>{0, 2, 5}));
  EXPECT_EQ(list->heard, 3);
}

TEST_F(WorkerRegisterTest, KnowsWhoIsPresent) {
  names_.note_start(3);
  EXPECT_EQ(names_.newest_generation(), 0);
  EXPECT_EQ(names_.present_workers(), (std::vector<int>{0, 1, 2}));
  names_.write(1, {.members = {0, 2}});
  names_.write(2, {.members = {2, 3}});
  names_.write(1, {.members = {7}});  // somebody who is late
  EXPECT_EQ(names_.newest_generation(), 2);
  EXPECT_EQ(names_.present_workers(), (std::vector<int>{2, 3}));
}

TEST_F(WorkerRegisterTest, RemembersTheLastSignOfLife) {
  EXPECT_EQ(names_.last_beat(4), "");
  names_.beat(4, 12);
  EXPECT_EQ(names_.last_beat(4), "12");
}

TEST_F(WorkerRegisterTest, WhoAsksHasAPlaceInTheQueueAndNobodyLeavesAGap) {
  const int first = names_.new_join();  // ends before it asks
  const int second = names_.new_join();
  const int third = names_.new_join();
  EXPECT_EQ(names_.ask_to_join(third), 1);
  EXPECT_EQ(names_.ask_to_join(second), 2);
  EXPECT_EQ(names_.who_asked(1), third);
  EXPECT_EQ(names_.who_asked(2), second);
  EXPECT_FALSE(names_.who_asked(3));
  EXPECT_EQ(WorkerRegister::identity_of_join(first, 4), 4);
  EXPECT_EQ(WorkerRegister::identity_of_join(third, 4), 6);
}

TEST_F(WorkerRegisterTest, OneGenerationIsForgottenAndNotThoseWhoseNumbersBeginLikeIt) {
  for (const std::int64_t generation : {1, 10, 12}) {
    names_.come(generation, 0);
    names_.meeting_place(generation).set("key", "value");
  }
  names_.forget(1);
  EXPECT_FALSE(names_.has_come(1, 0));
  EXPECT_FALSE(names_.meeting_place(1).has("key"));
  for (const std::int64_t generation : {10, 12}) {
    EXPECT_TRUE(names_.has_come(generation, 0));
    EXPECT_TRUE(names_.meeting_place(generation).has("key"));
  }
}

TEST_F(WorkerRegisterTest, WhoComesSaysWhomItCannotReach) {
  EXPECT_FALSE(names_.has_come(3, 1));
  names_.come(3, 1, {0, 4});
  names_.come(3, 2);
  EXPECT_TRUE(names_.has_come(3, 1));
  EXPECT_EQ(names_.unreached_by(3, 1), (std::vector<int>{0, 4}));
  EXPECT_TRUE(names_.unreached_by(3, 2).empty());
}

TEST_F(WorkerRegisterTest, ADoorIsFoundAgain) {
  names_.note_door(2, {.host = "fe80::1", .port = 1234});
  EXPECT_EQ(names_.door_of(2).host, "fe80::1");
  EXPECT_EQ(names_.door_of(2).port, 1234);
}

TEST_F(WorkerRegisterTest, AJobHasOneMark) {
  const std::string mark = names_.mark();
  EXPECT_EQ(names_.mark(), mark);
  EXPECT_TRUE(names_.has_mark(mark));
  WorkerRegister another(store_.under("another"));
  EXPECT_FALSE(another.has_mark(mark));
  EXPECT_NE(another.mark(), mark);
}

TEST_F(WorkerRegisterTest, AJobLivesWhileOneOfItsWorkersGivesSignsOfLife) {
  names_.note_start(2);
  names_.beat(0, 1);
  EXPECT_FALSE(names_.shows_life(100ms));
  std::atomic<bool> ends = false;
  std::thread worker([&] {
    WorkerRegister own(Store::join("127.0.0.1", store_.port(), 30s));
    for (int beat = 0; !ends; ++beat) {
      own.beat(1, beat);
      std::this_thread::sleep_for(10ms);
    }
  });
  EXPECT_TRUE(names_.shows_life(30s));
  ends = true;
  worker.join();
  names_.note_end(0);
  names_.note_end(1);
  EXPECT_FALSE(names_.shows_life(30s));
}

TEST(JobNames, AreThoseOfTheJobsThatBegan) {
  Store store = Store::host(0, 30s);
  EXPECT_TRUE(job_names(store).empty());
  add_job_name(store, name_of_attempt("night", 0));
  add_job_name(store, name_of_attempt("night", 1));
  add_job_name(store, name_of_attempt("night", 0));
  EXPECT_EQ(job_names(store), (std::vector<std::string>{"night.0", "night.1"}));
}

}  // namespace
}  // namespace resist
