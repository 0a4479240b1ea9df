#pragma once

#include <torch/csrc/distributed/c10d/Store.hpp>

#include "resist/comm/store.h"

namespace resist {

struct Store::Impl {
  c10::intrusive_ptr<c10d::Store> store;
  int port;
  std::chrono::milliseconds deadline;
};

}  // namespace resist
