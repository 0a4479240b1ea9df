#include "resist/comm/store.h"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "resist/core/error.h"
#include "support/input_error.h"
#include "support/socket.h"

namespace resist {
namespace {

using namespace std::chrono_literals;

const std::string kToken = "0123456789abcdef0123456789abcdef";
const std::string kOtherToken = "fedcba9876543210fedcba9876543210";

std::string failure(const std::function<void()>& call) {
  try {
    call();
  } catch (const InputError& error) {
    return std::string("wrong input, but should be no user's fault: ") + error.what();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Without a token and with one: the same service.
class StoreConformance : public testing::TestWithParam<std::string> {
 protected:
  Store host(std::chrono::milliseconds deadline = 30s) const { return Store::host(0, deadline, {.token = GetParam()}); }
  Store join(const Store& store, std::chrono::milliseconds deadline = 30s) const {
    return Store::join("127.0.0.1", store.port(), deadline, {.token = GetParam()});
  }
};

INSTANTIATE_TEST_SUITE_P(Store, StoreConformance, testing::Values("", kToken),
                         [](const auto& instance) { return instance.param.empty() ? "Loopback" : "Token"; });

TEST_P(StoreConformance, KeepsValuesForAllUnderPrefixes) {
  Store store = host();
  Store under = join(store).under("a");
  const std::string value("v\0\xff", 3);
  under.set("key", value);
  EXPECT_TRUE(under.has("key"));
  EXPECT_FALSE(store.has("key"));
  EXPECT_FALSE(store.under("b").has("key"));
  EXPECT_EQ(store.under("a").get("key"), value);
  EXPECT_EQ(store.get("a/key"), value);
  EXPECT_EQ(store.find("a/key"), value);
  store.forget("a");
  EXPECT_FALSE(under.find("key"));
}

TEST_P(StoreConformance, GetWaitsForTheKey) {
  const Store store = host();
  std::string got;
  std::thread waits([&, own = join(store)] { got = own.get("key"); });
  Store other = join(store);
  std::this_thread::sleep_for(50ms);  // the other order is right too, and less of a test
  other.set("key", "value");
  waits.join();
  EXPECT_EQ(got, "value");
}

TEST_P(StoreConformance, GetEndsAtItsDeadline) {
  const Store store = host();
  const std::string message = failure([&] { join(store, 200ms).get("nothing"); });
  EXPECT_NE(message.find("127.0.0.1:" + std::to_string(store.port()) + " has no 'nothing'"), std::string::npos)
      << message;
  EXPECT_NE(message.find("200 ms"), std::string::npos) << message;
  join(store).set("nothing", "");  // nobody waits any more, which must not matter
}

TEST_P(StoreConformance, AllWhoAddAndAllWhoTryToBeFirstCount) {
  constexpr int kWorkers = 4;
  constexpr int kTimes = 50;
  const Store store = host();
  std::vector<std::string> first(kWorkers);
  std::vector<std::thread> threads;
  threads.reserve(kWorkers);
  for (int worker = 0; worker < kWorkers; ++worker) {
    threads.emplace_back([&, worker] {
      Store own = join(store);
      first[worker] = own.set_first("first", std::to_string(worker));
      for (int i = 0; i < kTimes; ++i) {
        own.add("sum", 1);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(join(store).add("sum", 0), kWorkers * kTimes);
  EXPECT_EQ(first, std::vector<std::string>(kWorkers, store.get("first")));
}

TEST_P(StoreConformance, JoiningWaitsForTheServer) {
  int port = 0;
  { port = host().port(); }
  std::thread late([&] {
    std::this_thread::sleep_for(1s);
    Store store = Store::host(port, 30s, {.token = GetParam()});
    store.set("key", "value");
    store.get("done");
  });
  Store joined = Store::join("127.0.0.1", port, 30s, {.token = GetParam()});
  EXPECT_EQ(joined.get("key"), "value");
  joined.set("done", "");
  late.join();
}

TEST_P(StoreConformance, NobodyThereIsAnErrorWithTheAddress) {
  const SilentPort silent;
  const int port = silent.number();
  const std::string message = failure([&] { Store::join("127.0.0.1", port, 1s, {.token = GetParam()}); });
  EXPECT_NE(message.find("can't reach the rendezvous at 127.0.0.1:" + std::to_string(port)), std::string::npos)
      << message;
  EXPECT_NE(message.find("refused"), std::string::npos) << message;
}

TEST_P(StoreConformance, AServerThatGoesIsNoticedAlsoByWhoWaits) {
  auto store = std::make_unique<Store>(host());
  const std::string where = "127.0.0.1:" + std::to_string(store->port());
  Store joined = join(*store, 60s);
  std::string waited;
  std::thread waits([&, own = join(*store, 60s)] { waited = failure([&] { own.get("key"); }); });
  std::this_thread::sleep_for(50ms);
  store.reset();
  waits.join();
  EXPECT_NE(waited.find(where), std::string::npos) << waited;
  EXPECT_EQ(waited.find("no answer within"), std::string::npos) << waited;
  const std::string message = failure([&] { joined.set("key", ""); });
  EXPECT_NE(message.find("the rendezvous at " + where + " was lost"), std::string::npos) << message;
}

TEST_P(StoreConformance, AServerThatWasStartedAnewIsNotTakenForTheOneBefore) {
  auto store = std::make_unique<Store>(host());
  const int port = store->port();
  Store joined = join(*store);
  store.reset();
  store = std::make_unique<Store>(Store::host(port, 30s, {.token = GetParam()}));
  std::string message;
  do {  // the connection comes back after a moment
    message = failure([&] { joined.set("key", ""); });
  } while (message.find("started anew") == std::string::npos && !message.empty());
  EXPECT_NE(message.find("started anew"), std::string::npos);
  EXPECT_FALSE(store->has("key"));
}

TEST_P(StoreConformance, WhoJoinsForAnotherJobIsRefusedWithAReason) {
  const Store store = Store::host(0, 30s, {.token = GetParam(), .job = "one-1"});
  const Store same = Store::join("127.0.0.1", store.port(), 30s, {.token = GetParam(), .job = "one-1"});
  const std::string message =
      input_error([&] { Store::join("127.0.0.1", store.port(), 30s, {.token = GetParam(), .job = "one-0"}); });
  EXPECT_TRUE(contains(message, "it serves the job 'one-1', not 'one-0'"));
  EXPECT_TRUE(contains(message, "127.0.0.1:" + std::to_string(store.port())));
}

TEST_P(StoreConformance, WhatIsTooLargeIsRefusedAndTheStoreGoesOn) {
  Store store = host();
  const std::string large((1 << 20) + 1, 'x');
  EXPECT_NE(failure([&] { store.set("key", large); }).find("too large"), std::string::npos);
  EXPECT_NE(failure([&] { store.set("key", std::string(8 << 20, 'x')); }).find("larger than max"), std::string::npos);
  EXPECT_FALSE(store.has("key"));
  store.set("key", large.substr(1));
  EXPECT_EQ(store.get("key").size(), large.size() - 1);
}

TEST_P(StoreConformance, ATakenPortIsNamed) {
  const Store store = host();
  const std::string message = failure([&] { Store::host(store.port(), 5s, {.token = GetParam()}); });
  EXPECT_NE(message.find("port " + std::to_string(store.port())), std::string::npos) << message;
  EXPECT_NE(message.find("--port"), std::string::npos) << message;
}

TEST_P(StoreConformance, StrangersDoNoHarm) {
  Store store = host();
  Store before = join(store);
  const std::vector<std::string> garbage = {std::string(100'000, '\0'), std::string(100'000, '\xff'),
                                            "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                            std::string("\x16\x03\x01\xff\xff", 5) + std::string(70'000, 'x')};
  std::vector<Socket> silent;
  silent.reserve(20);
  for (int i = 0; i < 20; ++i) {
    silent.emplace_back("127.0.0.1", store.port());
    for (const std::string& bytes : garbage) {
      const Socket stranger("127.0.0.1", store.port());
      EXPECT_TRUE(stranger.is_connected());
      stranger.send(bytes);
    }
    before.set("round", std::to_string(i));
  }
  EXPECT_EQ(join(store).get("round"), "19");
}

TEST(StoreToken, AnotherOneIsRefusedOnBothSides) {
  Store store = Store::host(0, 30s, {.token = kToken});
  const std::string message = input_error([&] { Store::join("127.0.0.1", store.port(), 30s, {.token = kOtherToken}); });
  EXPECT_TRUE(contains(message, "127.0.0.1:" + std::to_string(store.port())));
  EXPECT_TRUE(contains(message, "token"));
  EXPECT_FALSE(contains(message, kToken));
  EXPECT_FALSE(contains(message, kOtherToken));
  store.set("key", "value");
}

TEST(StoreToken, NeitherWithoutOneNorWithOneWhereThereIsNoneCanAnybodyJoin) {
  const Store with = Store::host(0, 30s, {.token = kToken});
  EXPECT_TRUE(contains(input_error([&] { Store::join("127.0.0.1", with.port(), 3s); }), "no job token"));
  const Store without = Store::host(0, 30s);
  const std::string refused = input_error([&] { Store::join("127.0.0.1", without.port(), 30s, {.token = kToken}); });
  EXPECT_TRUE(contains(refused, "it has no job token and this worker has one"));
}

TEST(StoreToken, WithOneAllAddressesAreServedUnlessToldNotTo) {
  const Store open = Store::host(0, 30s, {.token = kToken});
  Store::join("127.0.0.2", open.port(), 30s, {.token = kToken});
  const Store closed = Store::host(0, 30s, {.token = kToken, .loopback = true});
  EXPECT_FALSE(Socket("127.0.0.2", closed.port()).is_connected());
}

TEST(StoreToken, WithoutOneOnlyLoopbackIsServedAndJoined) {
  const Store store = Store::host(0, 30s);
  EXPECT_FALSE(Socket("127.0.0.2", store.port()).is_connected());
  const std::string message = input_error([&] { Store::join("192.0.2.1", store.port(), 30s); });
  EXPECT_TRUE(contains(message, "192.0.2.1"));
  EXPECT_TRUE(contains(message, "--token-file"));
  EXPECT_TRUE(contains(message, "RESIST_TOKEN"));
  EXPECT_TRUE(contains(message, "openssl rand -hex 32"));
}

}  // namespace
}  // namespace resist
