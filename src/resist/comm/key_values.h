#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "resist/core/error.h"

namespace resist {

// What a store holds: values by key. All threads may use it. What would grow it past its limits is refused with an
// Error and changes nothing.
class KeyValues {
 public:
  struct Limits {
    std::size_t keys = std::size_t{1} << 20;
    std::size_t bytes = std::size_t{1} << 30;        // of all keys and values
    std::size_t value_bytes = std::size_t{1} << 20;  // of one key or value
  };
  using Found = std::function<void(const std::string& value)>;

  KeyValues() = default;
  explicit KeyValues(const Limits& limits) : limits_(limits) {}

  void set(const std::string& key, const std::string& value);
  std::optional<std::string> find(const std::string& key) const;
  // Adds to a number that begins at 0; returns the sum. Error where the key holds something else, or the sum is too
  // large.
  std::int64_t add(const std::string& key, std::int64_t amount);
  // Sets the key if nobody has; returns what it holds then.
  std::string set_first(const std::string& key, const std::string& value);
  // Drops every key that begins with `prefix`.
  void forget(const std::string& prefix);

  // Calls `found` once, as soon as the key has a value: at once in this thread, or in the one that sets it. Returns
  // what stop_waiting() takes.
  std::uint64_t wait(const std::string& key, Found found);
  // False: `found` has been called, or is about to be.
  bool stop_waiting(std::uint64_t waiting);

  std::size_t size() const;

 private:
  struct Waiting {
    std::string key;
    Found found;
  };

  void store(const std::string& key, const std::string& value);  // with the lock held
  void tell_waiting(std::unique_lock<std::mutex> lock, const std::string& key, const std::string& value);

  Limits limits_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> values_;
  std::size_t bytes_ = 0;
  std::map<std::uint64_t, Waiting> waiting_;
  std::uint64_t next_waiting_ = 0;
};

}  // namespace resist
