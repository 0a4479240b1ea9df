#include "resist/data/corrupt_counter.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace resist {

CorruptCounter::CorruptCounter(int limit, std::string set) : limit_(limit), set_(std::move(set)) {
}

void CorruptCounter::leave_out(std::int64_t index, const InputError& error) {
  const std::lock_guard lock(mutex_);
  if (left_out_.contains(index)) {
    return;
  }
  if (limit_ == 0) {
    throw InputError(fmt::format("{}; --skip-corrupt N leaves out up to N such pictures", error.what()));
  }
  if (left_out_.size() == static_cast<std::size_t>(limit_)) {
    throw InputError(
        fmt::format("{}; it is number {} of {}, but --skip-corrupt is {}: raise it, or mend or remove these pictures",
                    error.what(), limit_ + 1, set_, limit_));
  }
  left_out_.insert(index);
  spdlog::warn("left out ({} of at most {}): {}", left_out_.size(), limit_, error.what());
}

}  // namespace resist
