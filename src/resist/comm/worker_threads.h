#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <vector>

#include "resist/comm/communicator.h"

namespace resist {

// Runs `work` as `workers` workers that are threads of this process, each with its own rank's communicator
// (in_process.h), until all have ended. If some threw, throws one of their errors: of one that did not only lose a peer
// or hear of another's failure, where there is such a one.
void run_worker_threads(int workers, std::chrono::milliseconds deadline,
                        const std::function<void(Communicator&)>& work);

// Of the errors that workers ended with (null: none) throws the one described there, if there is any.
void rethrow_cause(std::vector<std::exception_ptr> errors);

}  // namespace resist
