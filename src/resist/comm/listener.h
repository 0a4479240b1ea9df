#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <thread>

namespace resist {

// Whether a host's name or address leads to this host's loopback alone. False where it can't be resolved.
bool is_loopback_host(const std::string& host);

// Listens on a TCP port and hands connections on, but never more than so many at once: who comes then is closed, and
// those that are there are not disturbed.
class Listener {
 public:
  enum class Reach { loopback, everywhere };
  // `accepted` gets a descriptor of its own, not blocking, and closes it; it is called from the listener's thread.
  using Accepted = std::function<void(int descriptor)>;

  // Port 0: a free one. Error "can't serve the rendezvous on port ..." where it can't be had.
  Listener(Reach reach, int port, std::size_t most, Accepted accepted);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int port() const { return port_; }

 private:
  void run();
  bool has_room();

  int socket_;
  int wake_;  // an event that ends the thread
  int port_;
  std::size_t most_;
  Accepted accepted_;
  std::map<int, std::string> open_;  // descriptors that were handed on, and what they stood for
  std::thread thread_;
};

}  // namespace resist
