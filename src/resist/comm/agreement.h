#pragma once

#include <exception>
#include <functional>

#include "resist/comm/communicator.h"
#include "resist/core/error.h"

namespace resist {

// Another worker failed and has said why on its own screen; this one only ends, with the same exit code.
class PeerFailed : public Error {
 public:
  explicit PeerFailed(int exit_code) : Error("another worker failed"), exit_code_(exit_code) {}
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

// Every worker calls it with what went wrong for itself alone (null: nothing). If anything did, all throw: their own
// failure, or PeerFailed. So nobody waits for a worker that has given up.
void agree_on_failure(Communicator& communicator, const std::exception_ptr& own);

// Worker 0 does something that can fail for a reason of its own (a disk, a damaged file); all learn whether it did.
void on_worker_0(Communicator& communicator, const std::function<void()>& action);

}  // namespace resist
