#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "resist/comm/communicator.h"

namespace resist {

// Who may use a store.
struct StoreAccess {
  // A secret of all who use it, never logged. Then they talk over TLS, and only those who know it can serve or join.
  // Empty: anybody on this host may, and nobody else.
  std::string token;
  // Serve this host only, also with a token.
  bool loopback = false;
  // What the store is for. Who wants to join it for something else is refused. Empty, on either side: anything.
  std::string job;
  // Asked between attempts to join: whether to give up before the deadline. Empty: never.
  std::function<bool()> gives_up = {};
};

// InputError, which says how to make a token, where there is none though `what` is at an address that is not loopback.
void require_token(const std::string& what, const std::string& address, const StoreAccess& access);

// A small key-value store over the network through which workers find each other: a service of our own (store.proto)
// over gRPC. Errors are Error with the address and the reason. One thread at a time.
class Store {
 public:
  // Serves on `port` (0: a free one) and joins: on all of this host's addresses where there is a token, otherwise on
  // the loopback one. The server lives as long as this store and those that were made from it by under(). What it
  // holds, and how many connect at once, is limited.
  static Store host(int port, std::chrono::milliseconds deadline, const StoreAccess& access = {});
  // Joins a store that another process serves; waits for it to come up until the deadline. InputError where it has
  // another token or is for another job, or where `address` is not loopback and there is no token.
  static Store join(const std::string& address, int port, std::chrono::milliseconds deadline,
                    const StoreAccess& access = {});
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  int port() const;
  void set(const std::string& key, const std::string& value);
  // Waits for the key until the deadline.
  std::string get(const std::string& key) const { return get(key, deadline()); }
  std::string get(const std::string& key, std::chrono::milliseconds deadline) const;
  // What the key holds; nothing if nobody has set it.
  std::optional<std::string> find(const std::string& key) const;
  bool has(const std::string& key) const { return find(key).has_value(); }
  // Adds to a number that begins at 0, in one step for all; returns the sum.
  std::int64_t add(const std::string& key, std::int64_t amount);
  // Sets the key if nobody has, in one step for all who try; returns what it holds then.
  std::string set_first(const std::string& key, const std::string& value);
  // Drops everything under `prefix`, for all.
  void forget(const std::string& prefix);
  // The same store with every key under `prefix`.
  Store under(const std::string& prefix) const;
  // Of one request.
  std::chrono::milliseconds deadline() const;

 private:
  struct Impl;
  explicit Store(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

// Connects this worker with all others over TCP (c10d's Gloo). `address` is this host's own address that peers can
// reach. Blocks until all are connected, for as long as the store's deadline. CommError when that fails. `fence`: what
// all of them have in common and no other communicator has (message_checksum.h); a message that is damaged or of
// another fence is a CommError of its receiver. Ignores SIGPIPE in this process.
std::unique_ptr<Communicator> make_gloo_communicator(const Store& store, int rank, int size, const std::string& address,
                                                     std::chrono::milliseconds deadline, std::uint64_t fence);

}  // namespace resist
