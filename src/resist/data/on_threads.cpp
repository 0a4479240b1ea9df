#include "resist/data/on_threads.h"

#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace resist {

void run_on_threads(std::size_t count, int threads, const std::function<void(std::size_t)>& body) {
  std::mutex mutex;
  std::size_t begun = 0;
  std::size_t failed = count;
  std::exception_ptr failure;
  const auto work = [&] {
    std::unique_lock lock(mutex);
    while (begun < count && failure == nullptr) {
      const std::size_t i = begun++;
      lock.unlock();
      std::exception_ptr thrown;
      try {
        body(i);
      } catch (...) {
        thrown = std::current_exception();
      }
      lock.lock();
      if (thrown != nullptr && i < failed) {
        failed = i;
        failure = thrown;
      }
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < count && i < static_cast<std::size_t>(threads); ++i) {
      others.emplace_back(work);
    }
    work();
  }
  if (failure != nullptr) {
    std::rethrow_exception(failure);
  }
}

}  // namespace resist
