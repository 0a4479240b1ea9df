#include "resist/comm/c10d_store.h"

#include <algorithm>

#include "resist/core/error.h"

namespace resist {

c10::intrusive_ptr<c10d::Store> C10dStore::clone() {
  return c10::make_intrusive<C10dStore>(store_.under(""));
}

void C10dStore::set(const std::string& key, const std::vector<std::uint8_t>& value) {
  store_.set(key, {value.begin(), value.end()});
}

std::vector<std::uint8_t> C10dStore::get(const std::string& key) {
  const std::string value = store_.get(key, timeout_);
  return {value.begin(), value.end()};
}

std::int64_t C10dStore::add(const std::string& key, std::int64_t value) {
  return store_.add(key, value);
}

bool C10dStore::check(const std::vector<std::string>& keys) {
  return std::ranges::all_of(keys, [&](const std::string& key) { return store_.has(key); });
}

void C10dStore::wait(const std::vector<std::string>& keys) {
  wait(keys, timeout_);
}

void C10dStore::wait(const std::vector<std::string>& keys, const std::chrono::milliseconds& timeout) {
  for (const std::string& key : keys) {
    store_.get(key, timeout);
  }
}

bool C10dStore::deleteKey(const std::string& key) {
  throw Error("resist's store deletes no single key, and was asked to delete '" + key + "'");
}

std::int64_t C10dStore::getNumKeys() {
  throw Error("resist's store does not count its keys");
}

}  // namespace resist
