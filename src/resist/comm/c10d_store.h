#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <utility>
#include <vector>

#include "resist/comm/store.h"

namespace resist {

// A Store as c10d wants it, for connecting: Gloo's addresses go through it.
class C10dStore : public c10d::Store {
 public:
  explicit C10dStore(resist::Store store) : c10d::Store(store.deadline()), store_(std::move(store)) {}

  // Newer libtorch declares it.
  c10::intrusive_ptr<c10d::Store> clone();  // NOLINT(modernize-use-override)
  void set(const std::string& key, const std::vector<std::uint8_t>& value) override;
  std::vector<std::uint8_t> get(const std::string& key) override;
  std::int64_t add(const std::string& key, std::int64_t value) override;
  bool check(const std::vector<std::string>& keys) override;
  void wait(const std::vector<std::string>& keys) override;
  void wait(const std::vector<std::string>& keys, const std::chrono::milliseconds& timeout) override;
  // Nobody asks for these; Error.
  bool deleteKey(const std::string& key) override;
  std::int64_t getNumKeys() override;

 private:
  resist::Store store_;
};

}  // namespace resist
