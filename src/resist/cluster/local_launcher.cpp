#include "resist/cluster/local_launcher.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <thread>

#include "resist/cluster/environment.h"
#include "resist/comm/store.h"
#include "resist/core/error.h"

extern char** environ;

namespace resist {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(20);
// How long the others may take to notice a dead worker themselves, and to say what they saw.
constexpr auto kGrace = std::chrono::seconds(3);
// The shell's code for "can't be executed".
constexpr int kExitNotExecuted = 126;

// Environment of one worker: this process's, with torchrun's variables.
std::vector<std::string> worker_environment(int rank, int workers, int port) {
  const std::map<std::string, std::string> own = {{"RANK", std::to_string(rank)},
                                                  {"WORLD_SIZE", std::to_string(workers)},
                                                  {"LOCAL_RANK", std::to_string(rank)},
                                                  {"LOCAL_WORLD_SIZE", std::to_string(workers)},
                                                  {"MASTER_ADDR", "127.0.0.1"},
                                                  {"MASTER_PORT", std::to_string(port)},
                                                  {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                                  {kOwnLauncher, "local"}};
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!own.contains(text.substr(0, text.find('=')))) {
      environment.push_back(text);
    }
  }
  for (const auto& [name, value] : own) {
    environment.push_back(fmt::format("{}={}", name, value));
  }
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    result.push_back(text.data());
  }
  result.push_back(nullptr);
  return result;
}

class Supervisor {
 public:
  explicit Supervisor(const LocalLaunch& launch) : launch_(launch) {}

  void start(int port) {
    std::vector<std::string> arguments = {"resist"};
    arguments.insert(arguments.end(), launch_.arguments.begin(), launch_.arguments.end());
    const pid_t parent = ::getpid();
    for (int rank = 0; rank < launch_.workers; ++rank) {
      std::vector<std::string> environment = worker_environment(rank, launch_.workers, port);
      const auto argument_pointers = pointers(arguments);
      const auto environment_pointers = pointers(environment);
      const pid_t pid = ::fork();
      if (pid < 0) {
        throw Error(fmt::format("can't start worker {}: {}", rank, system_message(errno)));
      }
      if (pid == 0) {
        // Only calls that are safe after fork in a process with threads. A group of its own: a terminal's interrupt
        // reaches the workers through this process, once.
        ::setpgid(0, 0);
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (::getppid() == parent) {
          ::execve("/proc/self/exe", argument_pointers.data(), environment_pointers.data());
        }
        ::_exit(kExitNotExecuted);
      }
      running_[pid] = rank;
    }
  }

  int watch(const std::atomic<int>& stop) {
    while (!running_.empty()) {
      reap();
      const int signal = stop.load();
      if (signal != passed_on_) {
        passed_on_ = signal;
        tell_all(signal);
      }
      if (ending_since_ && std::chrono::steady_clock::now() > *ending_since_ + kGrace) {
        killing_ = true;
        tell_all(SIGKILL);
      }
      std::this_thread::sleep_for(kPoll);
    }
    return exit_code_;
  }

  void kill_all() {
    tell_all(SIGKILL);
    while (!running_.empty()) {
      reap();
      std::this_thread::sleep_for(kPoll);
    }
  }

 private:
  bool failed() const { return exit_code_ == kExitFailed || exit_code_ == kExitUsage; }

  void tell_all(int signal) {
    for (const auto& [pid, rank] : running_) {
      ::kill(pid, signal);
    }
  }

  void reap() {
    int status = 0;
    pid_t pid = 0;
    while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
      const auto found = running_.find(pid);
      if (found == running_.end()) {
        continue;
      }
      const int rank = found->second;
      running_.erase(found);
      note_end(rank, status);
    }
  }

  void note_end(int rank, int status) {
    const bool killed = WIFSIGNALED(status);
    if (killed && killing_) {
      return;  // by this launcher, since another had ended
    }
    const int code = killed ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    const bool stopped = !killed && (code == kExitRestart || code == 128 + SIGINT || code == 128 + passed_on_);
    // A worker that had not come to handling signals yet dies of the one that was passed on; the others may wait for
    // it.
    const bool stopped_early = killed && WTERMSIG(status) == passed_on_;
    if (stopped_early) {
      if (!ending_since_) {
        spdlog::warn("stopped by signal {} before training had begun; nothing was written", passed_on_);
      }
      begin_ending();
    }
    if (code == kExitDone || stopped || stopped_early) {
      exit_code_ = failed() ? exit_code_ : std::max(exit_code_, code);
      return;
    }
    if (killed) {
      spdlog::error("worker {} was killed by signal {} ({}); stopping the others", rank, WTERMSIG(status),
                    ::strsignal(WTERMSIG(status)));
    } else if (code != kExitFailed && code != kExitUsage) {  // of these a worker says itself what was wrong
      spdlog::error("worker {} ended with exit code {}; stopping the others", rank, code);
    }
    begin_ending();
    // Wrong input explains the failures of those who lost the worker that found it.
    exit_code_ = code == kExitUsage || exit_code_ == kExitUsage ? kExitUsage : kExitFailed;
  }

  void begin_ending() {
    if (!ending_since_) {
      ending_since_ = std::chrono::steady_clock::now();
    }
  }

  const LocalLaunch& launch_;
  std::map<pid_t, int> running_;  // process -> rank
  int passed_on_ = 0;             // signal that the workers were told to stop by
  int exit_code_ = kExitDone;
  std::optional<std::chrono::steady_clock::time_point> ending_since_;  // the first end that the others can't outlive
  bool killing_ = false;                                               // those that are left after the grace
};

}  // namespace

int launch_workers(const LocalLaunch& launch, const std::atomic<int>& stop) {
  const Store store = Store::host(launch.port, launch.deadline);
  Supervisor supervisor(launch);
  try {
    supervisor.start(store.port());
  } catch (...) {
    supervisor.kill_all();
    throw;
  }
  return supervisor.watch(stop);
}

}  // namespace resist
