#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "resist/core/error.h"

namespace resist {

// `body` throws an InputError whose message has all these parts.
template <typename Body>
void expect_input_error(const Body& body, std::initializer_list<std::string> parts) {
  try {
    body();
    ADD_FAILURE() << "no InputError";
  } catch (const InputError& error) {
    const std::string message = error.what();
    for (const std::string& part : parts) {
      EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' is missing in: " << message;
    }
  }
}

}  // namespace resist
