#include "resist/run/signals.h"

#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <ctime>
#include <string_view>

namespace resist {
namespace {

std::atomic<int> received = 0;
static_assert(std::atomic<int>::is_always_lock_free);  // a handler may use it

std::atomic<std::int64_t> received_at = 0;  // milliseconds of the monotonic clock
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

std::atomic<bool> answers = false;
static_assert(std::atomic<bool>::is_always_lock_free);

constexpr std::string_view kAnswer =
    "\nresist: stopping when this round is finished and kept; interrupt again to stop at once\n";

// A signal to a whole group or service reaches a worker twice, once from the launcher: that is one request.
constexpr std::int64_t kSameRequest = 500;

std::int64_t milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);  // safe in a handler
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

extern "C" void on_signal(int signal) {
  int none = 0;
  if (received.compare_exchange_strong(none, signal)) {
    received_at = milliseconds();
    if (signal == SIGINT && answers) {
      [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kAnswer.data(), kAnswer.size());
    }
    return;
  }
  const std::int64_t first = received_at;  // 0: another thread is in between the two lines above
  if (first != 0 && milliseconds() - first > kSameRequest) {
    ::_exit(128 + signal);
  }
}

}  // namespace

const std::atomic<int>& watch_signals(bool speaks) {
  answers = speaks;
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    ::sigaction(signal, &action, nullptr);
  }
  std::signal(SIGPIPE, SIG_IGN);
  return received;
}

}  // namespace resist
