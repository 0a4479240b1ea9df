#pragma once

#include <gtest/gtest.h>

#include <string>

#include "resist/core/error.h"

namespace resist {

// The message of the InputError that `body` throws. Fails the test when there is none, or when the message is not one
// printable line.
template <typename Body>
std::string input_error(Body&& body) {
  try {
    body();
  } catch (const InputError& error) {
    const std::string message = error.what();
    EXPECT_FALSE(message.empty());
    for (const char character : message) {
      EXPECT_GE(static_cast<unsigned char>(character), 0x20) << message;
    }
    return message;
  }
  ADD_FAILURE() << "no InputError was thrown";
  return "";
}

// For EXPECT_TRUE(contains(message, "part")): a failure shows both.
inline ::testing::AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << "'" << part << "' is not in '" << text << "'";
}

}  // namespace resist
