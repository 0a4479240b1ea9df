#include "resist/cluster/rendezvous.h"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "resist/cluster/worker_register.h"
#include "resist/core/error.h"
#include "support/input_error.h"

namespace resist {
namespace {

WorkerCard card(const std::string& host, const std::string& address) {
  return {.host = host,
          .address = address,
          .stack = host,
          .version = "resist 1",
          .device = "cpu",
          .cores = {.machine = host, .allowed = {0, 1}, .quota = 0, .threads = 1},
          .config = {{"lr", 0.1}, {"batch-size", 32}}};
}

const std::atomic<int> kNever = 0;  // no signal comes

LaunchInfo launch(const Store& store, int rank, int workers) {
  return {.source = "test",
          .rank = rank,
          .workers = workers,
          .rendezvous_address = "127.0.0.1",
          .rendezvous_port = store.port(),
          .store_is_served = true,
          .job = "test"};
}

int free_port() {
  return Store::host(0, std::chrono::seconds(20)).port();
}

std::string refusal(const std::vector<WorkerCard>& cards) {
  try {
    check_cards(cards);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(CheckCards, TakesEqualWorkersThatDifferInThreadsAndHost) {
  auto second = card("b", "10.0.0.2");
  second.cores.threads = 7;
  EXPECT_EQ(refusal({card("a", "10.0.0.1"), second}), "");
  EXPECT_EQ(refusal({card("a", "127.0.0.1"), card("a", "127.0.0.1")}), "");
}

TEST(CheckCards, NamesTheOptionThatDiffers) {
  auto second = card("b", "10.0.0.2");
  second.config["lr"] = 0.2;
  const std::string message = refusal({card("a", "10.0.0.1"), second});
  EXPECT_NE(message.find("worker 1 on b has --lr 0.2 where worker 0 has 0.1"), std::string::npos) << message;
}

TEST(CheckCards, TakesAWorkerThatTellsOnlyWhatItWasGiven) {
  auto second = card("b", "10.0.0.2");
  second.config.erase("lr");
  EXPECT_EQ(refusal({card("a", "10.0.0.1"), second}), "");
  second.config["batch-size"] = 64;
  EXPECT_NE(refusal({card("a", "10.0.0.1"), second}).find("--batch-size 64 where worker 0 has 32"), std::string::npos);
}

TEST(CheckCards, NamesTheWorkerThatDoesNotResume) {
  auto first = card("a", "10.0.0.1");
  first.resumes = true;
  const std::string message = refusal({first, card("b", "10.0.0.2")});
  EXPECT_NE(message.find("worker 1 on b starts a run where worker 0 resumes one"), std::string::npos) << message;
}

TEST(CheckCards, NamesTheVersionThatDiffers) {
  auto second = card("b", "10.0.0.2");
  second.version = "resist 2";
  const std::string message = refusal({card("a", "10.0.0.1"), second});
  EXPECT_NE(message.find("resist 2"), std::string::npos) << message;
  EXPECT_NE(message.find("resist 1"), std::string::npos) << message;
}

TEST(CheckCards, RefusesLoopbackBetweenHosts) {
  const std::string message = refusal({card("a", "127.0.1.1"), card("b", "10.0.0.2")});
  EXPECT_NE(message.find("worker 0 on a has the loopback address 127.0.1.1"), std::string::npos) << message;
}

TEST(Rendezvous, BringsWorkersTogetherAndConnectsThem) {
  constexpr int kWorkers = 3;
  const Store store = Store::host(0, std::chrono::seconds(20));
  std::vector<std::vector<WorkerCard>> seen(kWorkers);
  std::vector<std::unique_ptr<Communicator>> connected(kWorkers);
  std::vector<std::thread> threads;
  threads.reserve(kWorkers);
  for (int rank = 0; rank < kWorkers; ++rank) {
    threads.emplace_back([&, rank] {
      Rendezvous rendezvous(launch(store, rank, kWorkers), std::chrono::seconds(20));
      WorkerCard own = card("a", "127.0.0.1");
      own.cores.threads = rank + 1;
      seen[rank] = rendezvous.exchange(own, kNever).value();
      connected[rank] = rendezvous.connect(own, std::chrono::seconds(20));
      connected[rank]->barrier();
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const auto& cards : seen) {
    ASSERT_EQ(cards.size(), 3U);
    EXPECT_EQ(cards[2].cores.threads, 3);
    EXPECT_EQ(cards[1].config["batch-size"], 32);
  }
}

// Brings two workers together, as processes that are started would, and says which attempt at the job that is.
std::string attempt_of_two(const Store& store) {
  std::string name;
  std::thread other([&] {
    Rendezvous rendezvous(launch(store, 1, 2), std::chrono::seconds(20));
    EXPECT_TRUE(rendezvous.exchange(card("a", "127.0.0.1"), kNever));
  });
  Rendezvous rendezvous(launch(store, 0, 2), std::chrono::seconds(20));
  EXPECT_TRUE(rendezvous.exchange(card("a", "127.0.0.1"), kNever));
  name = rendezvous.info().job;
  other.join();
  return name;
}

TEST(Rendezvous, AJobThatIsStartedAgainMeetsNothingOfTheOneBefore) {
  const Store store = Store::host(0, std::chrono::seconds(20));
  EXPECT_EQ(attempt_of_two(store), "test.0");  // ends before it trains
  EXPECT_EQ(attempt_of_two(store), "test.1");
  WorkerRegister trained(job_store(store, "test.1"));
  trained.note_start(2);
  trained.note_end(0);
  trained.note_end(1);
  EXPECT_EQ(attempt_of_two(store), "test.2");
}

TEST(Rendezvous, AWorkerThatIsStartedAgainFindsThatItsJobTrains) {
  const Store store = Store::host(0, std::chrono::seconds(20));
  WorkerRegister trains(job_store(store, "test.0"));
  trains.note_start(2);
  std::atomic<bool> ends = false;
  std::thread worker([&] {
    for (int beat = 0; !ends; ++beat) {
      trains.beat(0, beat);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  Rendezvous rendezvous(launch(store, 1, 2), std::chrono::seconds(20));
  EXPECT_FALSE(rendezvous.exchange(card("a", "127.0.0.1"), kNever));
  EXPECT_EQ(rendezvous.info().job, "test.0");
  ends = true;
  worker.join();
}

TEST(Rendezvous, ASignalEndsTheWait) {
  const Store store = Store::host(0, std::chrono::seconds(20));
  Rendezvous rendezvous(launch(store, 1, 2), std::chrono::seconds(60));
  const std::atomic<int> stop = SIGTERM;
  try {
    rendezvous.exchange(card("a", "127.0.0.1"), stop);
    FAIL() << "met workers that are not there";
  } catch (const Interrupted& interrupted) {
    EXPECT_EQ(interrupted.signal(), SIGTERM);
  }
}

TEST(Rendezvous, WithoutATokenNothingButLoopbackIsUsed) {
  for (const int rank : {0, 1}) {
    const std::string message = input_error([&] {
      Rendezvous({.source = "test",
                  .rank = rank,
                  .workers = 2,
                  .rendezvous_address = "192.0.2.1",
                  .rendezvous_port = 1234,
                  .job = "test"},
                 std::chrono::seconds(20));
    });
    EXPECT_TRUE(contains(message, "192.0.2.1:1234"));
    EXPECT_TRUE(contains(message, "--token-file"));
  }
  const Store store = Store::host(0, std::chrono::seconds(20));
  Rendezvous rendezvous({.source = "test",
                         .rank = 1,
                         .workers = 2,
                         .rendezvous_address = "127.0.0.1",
                         .rendezvous_port = store.port(),
                         .store_is_served = true,
                         .job = "test"},
                        std::chrono::seconds(20));
  const std::string message = input_error([&] { rendezvous.exchange(card("a", "192.0.2.7"), kNever); });
  EXPECT_TRUE(contains(message, "192.0.2.7"));
  EXPECT_TRUE(contains(message, "--token-file"));
}

TEST(Rendezvous, AWorkerOfAnotherStartOfTheJobIsRefused) {
  LaunchInfo info{.source = "test",
                  .rank = 0,
                  .workers = 2,
                  .rendezvous_address = "127.0.0.1",
                  .rendezvous_port = free_port(),
                  .job = "job-1"};
  const Rendezvous served(info, std::chrono::seconds(20));
  info.rank = 1;
  const Rendezvous joined(info, std::chrono::seconds(20));
  info.job = "job-0";
  const std::string message = input_error([&] { Rendezvous(info, std::chrono::seconds(20)); });
  EXPECT_TRUE(contains(message, "it serves the job 'job-1', not 'job-0'"));
}

TEST(Rendezvous, ASignalEndsTheWaitForAJobToJoin) {
  const std::atomic<int> stop = 15;
  const int nobody = free_port();
  EXPECT_THROW(Rendezvous({.host = "127.0.0.1", .port = nobody}, "", std::chrono::seconds(60), stop), Interrupted);
}

TEST(Rendezvous, NamesWhoDidNotCome) {
  const Store store = Store::host(0, std::chrono::seconds(20));
  Rendezvous rendezvous(launch(store, 1, 4), std::chrono::seconds(1));
  try {
    rendezvous.exchange(card("a", "127.0.0.1"), kNever);
    FAIL() << "met workers that are not there";
  } catch (const InputError&) {
    FAIL() << "a missing worker is no wrong input";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("workers 0, 2, 3 did not come"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace resist
