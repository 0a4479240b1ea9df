#include "resist/comm/key_values.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>
#include <vector>

namespace resist {
namespace {

std::int64_t as_number(const std::string& key, const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(fmt::format("'{}' holds no number that could be added to", key));
  }
  return number;
}

}  // namespace

void KeyValues::store(const std::string& key, const std::string& value) {
  if (key.size() > limits_.value_bytes || value.size() > limits_.value_bytes) {
    throw Error(fmt::format("a key of {} bytes with a value of {} bytes is too large; the most is {}", key.size(),
                            value.size(), limits_.value_bytes));
  }
  const auto found = values_.find(key);
  const bool is_new = found == values_.end();
  const std::size_t before = is_new ? 0 : key.size() + found->second.size();
  const std::size_t after = bytes_ - before + key.size() + value.size();
  if (values_.size() + (is_new ? 1 : 0) > limits_.keys || after > limits_.bytes) {
    throw Error(fmt::format("the store is full: it holds {} keys and {} bytes, and takes {} and {}", values_.size(),
                            bytes_, limits_.keys, limits_.bytes));
  }
  values_[key] = value;
  bytes_ = after;
}

// Outside the lock, since whoever is told may use the store.
void KeyValues::tell_waiting(std::unique_lock<std::mutex> lock, const std::string& key, const std::string& value) {
  std::vector<Found> told;
  for (auto entry = waiting_.begin(); entry != waiting_.end();) {
    if (entry->second.key == key) {
      told.push_back(std::move(entry->second.found));
      entry = waiting_.erase(entry);
    } else {
      ++entry;
    }
  }
  lock.unlock();
  for (const Found& found : told) {
    found(value);
  }
}

void KeyValues::set(const std::string& key, const std::string& value) {
  std::unique_lock lock(mutex_);
  store(key, value);
  tell_waiting(std::move(lock), key, value);
}

std::optional<std::string> KeyValues::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = values_.find(key);
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

std::int64_t KeyValues::add(const std::string& key, std::int64_t amount) {
  std::unique_lock lock(mutex_);
  const auto found = values_.find(key);
  const std::int64_t before = found == values_.end() ? 0 : as_number(key, found->second);
  std::int64_t sum = 0;
  if (__builtin_add_overflow(before, amount, &sum)) {
    throw Error(fmt::format("'{}' is {}, and adding {} makes it too large", key, before, amount));
  }
  const std::string text = std::to_string(sum);
  store(key, text);
  tell_waiting(std::move(lock), key, text);
  return sum;
}

std::string KeyValues::set_first(const std::string& key, const std::string& value) {
  std::unique_lock lock(mutex_);
  if (const auto found = values_.find(key); found != values_.end()) {
    return found->second;
  }
  store(key, value);
  tell_waiting(std::move(lock), key, value);
  return value;
}

void KeyValues::forget(const std::string& prefix) {
  const std::lock_guard lock(mutex_);
  for (auto entry = values_.lower_bound(prefix); entry != values_.end() && entry->first.starts_with(prefix);) {
    bytes_ -= entry->first.size() + entry->second.size();
    entry = values_.erase(entry);
  }
}

std::uint64_t KeyValues::wait(const std::string& key, Found found) {
  std::unique_lock lock(mutex_);
  const std::uint64_t number = next_waiting_++;
  const auto value = values_.find(key);
  if (value == values_.end()) {
    waiting_.emplace(number, Waiting{.key = key, .found = std::move(found)});
    return number;
  }
  const std::string text = value->second;
  lock.unlock();
  found(text);
  return number;
}

bool KeyValues::stop_waiting(std::uint64_t waiting) {
  const std::lock_guard lock(mutex_);
  return waiting_.erase(waiting) == 1;
}

std::size_t KeyValues::size() const {
  const std::lock_guard lock(mutex_);
  return values_.size();
}

}  // namespace resist
