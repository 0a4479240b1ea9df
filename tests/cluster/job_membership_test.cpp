#include "resist/cluster/job_membership.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "resist/comm/collectives.h"
#include "resist/comm/message_checksum.h"

namespace resist {
namespace {

using namespace std::chrono_literals;

// The workers of a job as threads of this process, over real connections.
class JobMembershipTest : public testing::Test {
 protected:
  JobWorker job(int identity) const {
    return {.info = {.rank = identity,
                     .workers = 3,
                     .rendezvous_address = "127.0.0.1",
                     .rendezvous_port = store_.port(),
                     .store_is_served = true,
                     .job = "test"},
            .identity = identity,
            .address = "127.0.0.1",
            .least = 2,
            .most = 3,
            .timeout = 60s};
  }

  std::shared_ptr<Communicator> connect(int rank, int workers) const {
    return make_gloo_communicator(job_store(job(rank).info, 30s).under("first"), rank, workers, "127.0.0.1", 60s,
                                  message_fence("test", 0));
  }

  // Runs each worker in a thread of its own; an error of one is the test's.
  static void run(const std::vector<std::function<void()>>& workers) {
    std::vector<std::thread> threads;
    threads.reserve(workers.size());
    for (const auto& worker : workers) {
      threads.emplace_back([&worker] {
        try {
          worker();
        } catch (const std::exception& error) {
          ADD_FAILURE() << error.what();
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }

  static std::vector<int> identities(Communicator& communicator, int own) {
    return all_gather_value(communicator, own, 7);
  }

  Store store_ = Store::host(0, 30s);
};

TEST_F(JobMembershipTest, WhoIsLeftGoesOnInTheOrderOfIdentities) {
  const auto survivor = [&](int identity) {
    return [&, identity] {
      auto first = connect(identity, 3);
      JobMembership membership(job(identity), first);
      EXPECT_THROW(first->barrier(), CommError);
      first->abort();
      const Generation next = membership.next_generation("the test");
      EXPECT_EQ(next.number, 1);
      EXPECT_EQ(next.members, (std::vector<int>{0, 2}));
      EXPECT_TRUE(next.enough);
      EXPECT_EQ(next.communicator->rank(), identity / 2);
      EXPECT_EQ(identities(*next.communicator, identity), (std::vector<int>{0, 2}));
    };
  };
  run({survivor(0),
       [&] {
         const auto first = connect(1, 3);
         const JobMembership membership(job(1), first);
         WorkerRegister(job(1).info, 30s).note_end(1);  // as its launcher would
         first->abort();
       },
       survivor(2)});
}

TEST_F(JobMembershipTest, ACallEndsWhatTheOthersWaitFor) {
  run({[&] {
         const auto first = connect(0, 2);
         JobMembership membership(job(0), first);
         WorkerRegister(job(0).info, 30s).call(1, "the test");
         const Generation next = membership.next_generation("the test");
         EXPECT_EQ(identities(*next.communicator, 0), (std::vector<int>{0, 1}));
       },
       [&] {
         const auto first = connect(1, 2);
         JobMembership membership(job(1), first);
         EXPECT_THROW(first->barrier(), CommError);  // worker 0 has neither come nor closed its connection
         first->abort();
         const Generation next = membership.next_generation("the test");
         EXPECT_EQ(identities(*next.communicator, 1), (std::vector<int>{0, 1}));
         EXPECT_TRUE(next.enough);
       }});
}

TEST_F(JobMembershipTest, WithFewerThanAskedForItSaysSo) {
  run({[&] {
         const auto first = connect(0, 2);
         JobMembership membership(job(0), first);
         EXPECT_THROW(first->barrier(), CommError);
         first->abort();
         EXPECT_FALSE(membership.next_generation("the test").enough);
       },
       [&] {
         const auto first = connect(1, 2);
         WorkerRegister(job(1).info, 30s).note_end(1);
         first->abort();
       }});
}

TEST_F(JobMembershipTest, WhoAsksToJoinIsLetInWithAnIdentityOfItsOwn) {
  const auto member = [&](int identity) {
    return [&, identity] {
      const auto first = connect(identity, 2);
      JobMembership membership(job(identity), first);
      while (!membership.somebody_waits()) {
        std::this_thread::sleep_for(10ms);
      }
      const Generation next = membership.next_generation("somebody joins");
      EXPECT_EQ(next.members, (std::vector<int>{0, 1, 2}));
      EXPECT_EQ(identities(*next.communicator, identity), (std::vector<int>{0, 1, 2}));
      EXPECT_FALSE(membership.somebody_waits());
    };
  };
  run({member(0), member(1), [&] {
         const std::atomic<int> stop = 0;
         WorkerRegister names(job(0).info, 30s);
         JobMembership membership(job(0), names.new_join());
         EXPECT_EQ(membership.identity(), 2);
         const Generation next = membership.join(stop);
         EXPECT_EQ(next.members, (std::vector<int>{0, 1, 2}));
         EXPECT_EQ(identities(*next.communicator, 2), (std::vector<int>{0, 1, 2}));
       }});
}

TEST_F(JobMembershipTest, WhereAllPlacesAreTakenWhoAsksStandsBy) {
  const std::atomic<int> stop = 0;
  std::atomic<bool> asked = false;
  const auto member = [&](int identity) {
    return [&, identity] {
      auto first = connect(identity, 3);
      JobMembership membership(job(identity), first);
      while (!asked) {
        std::this_thread::sleep_for(10ms);
      }
      EXPECT_FALSE(membership.somebody_waits());
      if (identity == 1) {
        first->abort();
        return;  // which tells the others
      }
      EXPECT_THROW(first->barrier(), CommError);
      first->abort();
      const Generation next = membership.next_generation("the test");
      EXPECT_EQ(next.members, (std::vector<int>{0, 2, 3}));
      EXPECT_EQ(identities(*next.communicator, identity), (std::vector<int>{0, 2, 3}));
    };
  };
  run({member(0), member(1), member(2), [&] {
         JobMembership membership(job(0), 0);
         std::thread teller([&] {
           const WorkerRegister names(job(0).info, 30s);
           while (!names.who_asked(1)) {
             std::this_thread::sleep_for(10ms);
           }
           asked = true;
         });
         const Generation next = membership.join(stop);
         teller.join();
         EXPECT_EQ(identities(*next.communicator, 3), (std::vector<int>{0, 2, 3}));
       }});
}

TEST_F(JobMembershipTest, OfTwoThatCannotReachEachOtherTheLaterIsLeftOut) {
  run({[&] {
         auto first = connect(0, 2);
         JobMembership membership(job(0), first);
         EXPECT_THROW(first->barrier(), CommError);
         first->abort();
         EXPECT_EQ(membership.next_generation("the test").members, std::vector<int>{0});
       },
       [&] {
         const auto first = connect(1, 2);
         const JobMembership membership(job(1), first);
         WorkerRegister names(job(1).info, 30s);
         names.come(1, 1, {0});  // as it does when it can't connect
         first->abort();
         while (!names.members(1)) {
           std::this_thread::sleep_for(10ms);
         }
       }});
}

TEST_F(JobMembershipTest, WhoEndedWithoutAWordIsNotWaitedFor) {
  run({[&] {
         auto first = connect(0, 2);
         JobMembership membership(job(0), first);
         WorkerRegister names(job(0).info, 30s);
         names.note_door(1, {.host = "127.0.0.1", .port = 1});  // where nobody listens
         names.beat(1, 1);
         EXPECT_THROW(first->barrier(), CommError);
         first->abort();
         EXPECT_EQ(membership.next_generation("the test").members, std::vector<int>{0});
         EXPECT_TRUE(names.has_ended(1));
       },
       [&] { connect(1, 2)->abort(); }});
}

TEST_F(JobMembershipTest, ARendezvousThatIsGoneIsNoticed) {
  auto gone = std::make_unique<Store>(Store::host(0, 30s));
  JobWorker alone = job(0);
  alone.info.rendezvous_port = gone->port();
  const auto first = make_gloo_communicator(job_store(alone.info, 30s).under("first"), 0, 1, "127.0.0.1", 60s, 1);
  JobMembership membership(alone, std::shared_ptr<Communicator>(first.get(), [](Communicator*) {}));
  EXPECT_FALSE(membership.rendezvous_lost());
  const int port = gone->port();
  gone.reset();
  const Store another = Store::host(port, 30s);  // started anew: it knows nothing of the job
  while (!membership.rendezvous_lost()) {
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_THROW(membership.next_generation("the test"), RendezvousLost);
}

TEST_F(JobMembershipTest, WhoWaitsToJoinCanBeStopped) {
  run({[&] {
    const auto first = connect(0, 1);
    const JobMembership membership(job(0), first);
    const std::atomic<int> stop = 15;
    JobMembership joins(job(0), 1);
    EXPECT_THROW(joins.join(stop), Error);
  }});
}

}  // namespace
}  // namespace resist
