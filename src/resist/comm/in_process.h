#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "resist/comm/communicator.h"

namespace resist {

// Communicators of `size` workers that are threads of one process; a group of one is a world of one. A message is
// copied once, from the sender's buffer to the receiver's, when both have posted it. Destroying a worker's communicator
// counts as its death: peers that wait for it get a CommError.
std::vector<std::unique_ptr<Communicator>> make_in_process_group(
    int size, std::chrono::milliseconds deadline = std::chrono::minutes(10));

}  // namespace resist
