#pragma once

#include <stdexcept>
#include <string>

namespace resist {

// Exit codes of the program; docs/errors.md explains them to users.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitRestart = 75;  // checkpointed and wants to be restarted

// Something failed while resist worked: exit 1. The message says what failed, the value got, what is allowed, what to
// do.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What the user gave (flag, file, data) can't be used: exit 2, and nothing has been written.
class InputError : public Error {
 public:
  using Error::Error;
};

// The message of the error number `error_number` (as errno holds it).
std::string system_message(int error_number);

}  // namespace resist
