#include "resist/comm/worker_threads.h"

#include <algorithm>
#include <exception>
#include <thread>
#include <vector>

#include "resist/comm/agreement.h"
#include "resist/comm/in_process.h"

namespace resist {
namespace {

// Whether the error only tells of another worker's.
bool follows_from_another(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const CommError&) {
    return true;
  } catch (const PeerFailed&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

void rethrow_cause(std::vector<std::exception_ptr> errors) {
  std::erase(errors, nullptr);
  if (errors.empty()) {
    return;
  }
  const auto cause = std::ranges::find_if_not(errors, follows_from_another);
  std::rethrow_exception(cause == errors.end() ? errors.front() : *cause);
}

void run_worker_threads(int workers, std::chrono::milliseconds deadline,
                        const std::function<void(Communicator&)>& work) {
  auto communicators = make_in_process_group(workers, deadline);
  std::vector<std::exception_ptr> errors(communicators.size());
  std::vector<std::thread> threads;
  threads.reserve(communicators.size());
  for (std::size_t rank = 0; rank < communicators.size(); ++rank) {
    threads.emplace_back([&, rank] {
      try {
        work(*communicators[rank]);
      } catch (...) {
        errors[rank] = std::current_exception();
        communicators[rank].reset();  // so that the others notice
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  rethrow_cause(std::move(errors));
}

}  // namespace resist
