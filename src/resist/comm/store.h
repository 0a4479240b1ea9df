#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "resist/comm/communicator.h"

namespace resist {

// A small key-value store over TCP through which workers find each other (c10d's TCPStore). Errors are Error with the
// address and the reason. One thread at a time.
class Store {
 public:
  // Serves on `port` (0: a free one) of all of this host's addresses and joins it.
  static Store host(int port, std::chrono::milliseconds deadline);
  // Joins a store that another process serves; waits for it to come up until the deadline.
  static Store join(const std::string& address, int port, std::chrono::milliseconds deadline);
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  int port() const;
  void set(const std::string& key, const std::string& value);
  // Waits for the key until the deadline.
  std::string get(const std::string& key) const;
  bool has(const std::string& key) const;
  // Adds to a number that begins at 0, in one step for all; returns the sum.
  std::int64_t add(const std::string& key, std::int64_t amount);
  // Sets the key if nobody has, in one step for all who try; returns what it holds then.
  std::string set_first(const std::string& key, const std::string& value);
  // The same store with every key under `prefix`.
  Store under(const std::string& prefix) const;

 private:
  friend std::unique_ptr<Communicator> make_gloo_communicator(const Store&, int, int, const std::string&,
                                                              std::chrono::milliseconds, std::uint64_t);
  struct Impl;
  explicit Store(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

// Connects this worker with all others over TCP (c10d's Gloo). `address` is this host's own address that peers can
// reach. Blocks until all are connected, for as long as the store's deadline. CommError when that fails. `fence`: what
// all of them have in common and no other communicator has (message_checksum.h); a message that is damaged or of
// another fence is a CommError of its receiver. Ignores SIGPIPE in this process.
std::unique_ptr<Communicator> make_gloo_communicator(const Store& store, int rank, int size, const std::string& address,
                                                     std::chrono::milliseconds deadline, std::uint64_t fence);

}  // namespace resist
