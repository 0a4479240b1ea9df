#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "resist/comm/store.h"

namespace resist {

// What a Store stands on: a server, and connections to one. Every call throws Error with the reason alone, which the
// Store puts into words.
class StoreServer {
 public:
  virtual ~StoreServer() = default;
  virtual int port() const = 0;
};

class StoreConnection {
 public:
  using Deadline = std::chrono::milliseconds;  // how long the answer may take

  virtual ~StoreConnection() = default;
  virtual void set(const std::string& key, const std::string& value, Deadline deadline) = 0;
  virtual std::string get(const std::string& key, Deadline deadline) = 0;
  virtual std::optional<std::string> find(const std::string& key, Deadline deadline) = 0;
  virtual std::int64_t add(const std::string& key, std::int64_t amount, Deadline deadline) = 0;
  virtual std::string set_first(const std::string& key, const std::string& value, Deadline deadline) = 0;
  virtual void forget(const std::string& prefix, Deadline deadline) = 0;
};

// Error where the port can't be had.
std::unique_ptr<StoreServer> serve_store(int port, const StoreAccess& access);
// Tries until the deadline. InputError where the server has another token, or is for another job.
std::unique_ptr<StoreConnection> connect_to_store(const std::string& address, int port, const StoreAccess& access,
                                                  StoreConnection::Deadline deadline);

}  // namespace resist
