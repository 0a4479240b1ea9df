#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>

#include "resist/core/error.h"

namespace resist {

// What --skip-corrupt allows: up to `limit` damaged pictures of one data set are left out. Safe for several threads.
class CorruptCounter {
 public:
  // `set` names the data set in messages.
  CorruptCounter(int limit, std::string set);

  // Picture `index` can't be used; `error` names it and says why. Returns if it may be left out, with a warning when it
  // is met for the first time. InputError with what `error` says and what to do, if that would be one too many.
  void leave_out(std::int64_t index, const InputError& error);

 private:
  int limit_;
  std::string set_;
  std::mutex mutex_;
  std::set<std::int64_t> left_out_;
};

}  // namespace resist
