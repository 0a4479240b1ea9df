#include "resist/comm/agreement.h"

#include <algorithm>
#include <vector>

#include "resist/comm/collectives.h"
#include "resist/comm/tags.h"

namespace resist {
namespace {

int exit_code_of(const std::exception_ptr& failure) {
  if (!failure) {
    return kExitDone;
  }
  try {
    std::rethrow_exception(failure);
  } catch (const InputError&) {
    return kExitUsage;
  } catch (...) {
    return kExitFailed;
  }
}

}  // namespace

void agree_on_failure(Communicator& communicator, const std::exception_ptr& own) {
  const std::vector<int> codes = all_gather_value(communicator, exit_code_of(own), kControlTag);
  if (own) {
    std::rethrow_exception(own);
  }
  const auto failed = std::ranges::find_if(codes, [](int code) { return code != kExitDone; });
  if (failed != codes.end()) {
    throw PeerFailed(*failed);
  }
}

void on_worker_0(Communicator& communicator, const std::function<void()>& action) {
  std::exception_ptr failure;
  if (communicator.rank() == 0) {
    try {
      action();
    } catch (const std::exception&) {
      failure = std::current_exception();
    }
  }
  agree_on_failure(communicator, failure);
}

}  // namespace resist
