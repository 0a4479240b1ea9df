#include "resist/comm/listener.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "resist/core/error.h"
#include "support/socket.h"

namespace resist {
namespace {

// Keeps what a listener hands on.
class Kept {
 public:
  ~Kept() {
    for (const int descriptor : descriptors_) {
      ::close(descriptor);
    }
  }
  void keep(int descriptor) {
    const std::lock_guard lock(mutex_);
    descriptors_.push_back(descriptor);
    changed_.notify_all();
  }
  void close_first() {
    const std::lock_guard lock(mutex_);
    ::close(descriptors_.front());
    descriptors_.erase(descriptors_.begin());
  }
  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return descriptors_.size() == count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<int> descriptors_;
};

TEST(Listener, ClosesWhoComesWhenItHasItsMostAndTakesOthersWhenOneHasGone) {
  Kept kept;
  const Listener listener(Listener::Reach::loopback, 0, 2, [&](int descriptor) { kept.keep(descriptor); });
  const Socket first("127.0.0.1", listener.port());
  const Socket second("127.0.0.1", listener.port());
  kept.wait_for(2);
  EXPECT_TRUE(Socket("127.0.0.1", listener.port()).is_closed_by_peer());
  kept.close_first();
  const Socket third("127.0.0.1", listener.port());
  kept.wait_for(2);
  EXPECT_TRUE(Socket("127.0.0.1", listener.port()).is_closed_by_peer());
}

TEST(Listener, OnLoopbackNoOtherAddressOfThisHostIsServed) {
  const Listener listener(Listener::Reach::loopback, 0, 2, [](int descriptor) { ::close(descriptor); });
  EXPECT_TRUE(Socket("127.0.0.1", listener.port()).is_connected());
  EXPECT_FALSE(Socket("127.0.0.2", listener.port()).is_connected());
  const Listener open(Listener::Reach::everywhere, 0, 2, [](int descriptor) { ::close(descriptor); });
  EXPECT_TRUE(Socket("127.0.0.2", open.port()).is_connected());
}

TEST(Listener, NamesAPortThatIsTaken) {
  for (const auto reach : {Listener::Reach::loopback, Listener::Reach::everywhere}) {
    const Listener listener(reach, 0, 2, [](int descriptor) { ::close(descriptor); });
    try {
      const Listener other(reach, listener.port(), 2, [](int descriptor) { ::close(descriptor); });
      FAIL() << "two listeners on one port";
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find("port " + std::to_string(listener.port())), std::string::npos) << message;
      EXPECT_NE(message.find("in use"), std::string::npos) << message;
    }
  }
}

TEST(IsLoopbackHost, KnowsAddressesAndNames) {
  for (const char* host : {"127.0.0.1", "127.1.2.3", "::1", "localhost"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
  for (const char* host : {"10.0.0.1", "0.0.0.0", "::", "128.0.0.1", "2001:db8::1", "no such host"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

}  // namespace
}  // namespace resist
