#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "resist/comm/communicator.h"

namespace resist {

// A backend under test: makes connected communicators, whose calls may be made from one thread each.
struct Backend {
  std::string name;
  std::function<std::vector<std::unique_ptr<Communicator>>(int workers, std::chrono::milliseconds deadline)> make;
};

// What every backend must do (conformance.cpp). A new backend instantiates this suite with its Backend.
class CommunicatorConformance : public testing::TestWithParam<Backend> {
 protected:
  // Runs `body` on `workers` workers; each must succeed.
  void run(int workers, const std::function<void(Communicator&)>& body) const;
};

}  // namespace resist
