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
#include <utility>

#include "resist/cluster/environment.h"
#include "resist/cluster/rendezvous.h"
#include "resist/cluster/token.h"
#include "resist/cluster/worker_register.h"
#include "resist/comm/store.h"
#include "resist/core/error.h"

extern char** environ;

namespace resist {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(20);
constexpr auto kLook = std::chrono::milliseconds(200);  // between two looks at what generation it is
// How long the others may take to notice a dead worker themselves, and to say what they saw.
constexpr auto kGrace = std::chrono::seconds(3);
// How long all that are left may give no sign of life.
constexpr auto kHung = std::chrono::seconds(60);
// The job's name at its rendezvous.
constexpr const char* kJob = "local";
// The shell's code for "can't be executed".
constexpr int kExitNotExecuted = 126;

// Environment of one worker: this process's, with torchrun's variables. `join`: as LaunchInfo has it. `token`: one that
// this launcher has made, or empty.
std::vector<std::string> worker_environment(int rank, int workers, int port, int join, const std::string& token) {
  std::map<std::string, std::string> own = {{kJoin, join == 0 ? "" : std::to_string(join)},
                                            {"RANK", std::to_string(rank)},
                                            {"WORLD_SIZE", std::to_string(workers)},
                                            {"LOCAL_RANK", std::to_string(rank)},
                                            {"LOCAL_WORLD_SIZE", std::to_string(workers)},
                                            {"MASTER_ADDR", "127.0.0.1"},
                                            {"MASTER_PORT", std::to_string(port)},
                                            {"TORCHELASTIC_RUN_ID", kJob},
                                            {"TORCHELASTIC_RESTART_COUNT", "0"},
                                            {kOwnLauncher, token.empty() ? kOpenJob : kClosedJob}};
  if (!token.empty()) {
    own[kTokenVariable] = token;
  }
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
  // `token`: one that was made for the workers, or empty.
  Supervisor(const LocalLaunch& launch, std::string token, const Store& job)
      : launch_(launch), token_(std::move(token)), register_(job) {}

  void start(int port) {
    port_ = port;
    for (int rank = 0; rank < launch_.workers; ++rank) {
      start_worker(rank, 0);
      members_.push_back(rank);
    }
  }

  int watch(const std::atomic<int>& stop) {
    while (!running_.empty()) {
      reap();
      look();
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
    if (fatal_ == 0 && !good_end_) {
      spdlog::error(
          "no worker is left; --resume goes on from the run's last checkpoint, or starts it anew if there is none");
    }
    return exit_code();
  }

  // Tells nobody: the rendezvous may be what has failed.
  void kill_all() {
    tell_all(SIGKILL);
    for (const auto& [pid, worker] : running_) {
      ::waitpid(pid, nullptr, 0);
    }
    running_.clear();
  }

 private:
  struct Worker {
    int rank;      // its place on this machine
    int identity;  // what the others call it
  };

  void start_worker(int rank, int join) {
    std::vector<std::string> arguments = {"resist"};
    arguments.insert(arguments.end(), launch_.arguments.begin(), launch_.arguments.end());
    std::vector<std::string> environment = worker_environment(rank, launch_.workers, port_, join, token_);
    const auto argument_pointers = pointers(arguments);
    const auto environment_pointers = pointers(environment);
    const pid_t parent = ::getpid();
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
    running_[pid] = {.rank = rank,
                     .identity = join == 0 ? rank : WorkerRegister::identity_of_join(join, launch_.workers)};
  }

  // Another one in the place of a worker that was lost.
  void replace(int rank) {
    const bool enough = std::ssize(running_) >= launch_.least;
    if (restarted_ < launch_.restarts && !running_.empty() && enough && passed_on_ == 0 && !good_end_) {
      ++restarted_;
      try {
        start_worker(rank, register_.new_join());
      } catch (const Error& error) {
        spdlog::warn("{}; the others go on without it", error.what());
      }
    }
  }

  bool is_member(const Worker& worker) const { return std::ranges::binary_search(members_, worker.identity); }

  // Those that were started to join find nobody any more.
  void end_late_ones() {
    if (somebody_ended_ && !running_.empty() &&
        std::ranges::none_of(running_, [&](const auto& one) { return is_member(one.second); })) {
      killing_ = true;
      tell_all(SIGKILL);
    }
  }

  // Where the others have ended, nobody is left to leave out a worker that hangs.
  void end_silent_ones() {
    if (!somebody_ended_) {
      return;
    }
    std::string beats;
    for (const auto& [pid, worker] : running_) {
      beats += register_.last_beat(worker.identity) + " ";
    }
    const auto now = std::chrono::steady_clock::now();
    if (beats != beats_) {
      beats_ = beats;
      beats_moved_ = now;
    } else if (now > beats_moved_ + kHung) {
      begin_ending();
    }
  }

  int exit_code() const { return fatal_ != 0 ? fatal_ : good_end_.value_or(kExitFailed); }

  void look() {
    if (std::chrono::steady_clock::now() < next_look_) {
      return;
    }
    next_look_ = std::chrono::steady_clock::now() + kLook;
    while (const auto list = register_.members(generation_ + 1)) {
      ++generation_;
      end_left_out(list->members);
      members_ = list->members;
    }
    end_late_ones();
    end_silent_ones();
  }

  // Workers that the others take for lost can't come back.
  void end_left_out(const std::vector<int>& members) {
    for (const auto& [pid, worker] : running_) {
      if (is_member(worker) && !std::ranges::binary_search(members, worker.identity)) {
        spdlog::warn("worker {} was left out by the others; ending it", worker.identity);
        ::kill(pid, SIGKILL);
      }
    }
  }

  void tell_all(int signal) {
    for (const auto& [pid, worker] : running_) {
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
      const Worker worker = found->second;
      running_.erase(found);
      somebody_ended_ = true;
      note_end(worker, status);
    }
  }

  void note_end(const Worker& worker, int status) {
    const bool killed = WIFSIGNALED(status);
    if (killed && killing_) {
      return;  // by this launcher, since another had ended
    }
    if (!is_member(worker)) {  // it had not joined yet, or was left out
      register_.note_end(worker.identity);
      replace(worker.rank);
      return;
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
      good_end_ = std::max(good_end_.value_or(kExitDone), code);
      if (register_.started()) {
        register_.note_end(worker.identity);
      }
      return;
    }
    const bool others_go_on = code != kExitUsage && register_.started();
    const char* then = others_go_on ? running_.empty() ? "none is left" : "the others go on" : "stopping the others";
    if (killed) {
      spdlog::error("worker {} was killed by signal {} ({}); {}", worker.identity, WTERMSIG(status),
                    ::strsignal(WTERMSIG(status)), then);
    } else if (code != kExitFailed && code != kExitUsage) {  // of these a worker says itself what was wrong
      spdlog::error("worker {} ended with exit code {}; {}", worker.identity, code, then);
    }
    if (others_go_on) {
      register_.note_end(worker.identity);
      replace(worker.rank);
      return;
    }
    begin_ending();
    // Wrong input explains the failures of those who lost the worker that found it.
    fatal_ = code == kExitUsage || fatal_ == kExitUsage ? kExitUsage : kExitFailed;
  }

  void begin_ending() {
    if (!ending_since_) {
      ending_since_ = std::chrono::steady_clock::now();
    }
  }

  const LocalLaunch& launch_;
  std::string token_;
  int port_ = 0;
  std::map<pid_t, Worker> running_;
  int passed_on_ = 0;  // signal that the workers were told to stop by
  WorkerRegister register_;
  std::int64_t generation_ = 0;  // the newest that this launcher has heard of
  std::vector<int> members_;     // of that
  bool somebody_ended_ = false;
  std::string beats_;  // the last signs of life of all that run
  std::chrono::steady_clock::time_point beats_moved_;
  int restarted_ = 0;
  std::chrono::steady_clock::time_point next_look_;
  std::optional<int> good_end_;  // the largest code of a worker that ended as it should
  int fatal_ = 0;                // of one that the others can't outlive
  std::optional<std::chrono::steady_clock::time_point> ending_since_;  // the first end that the others can't outlive
  bool killing_ = false;                                               // those that are left after the grace
};

}  // namespace

int launch_workers(const LocalLaunch& launch, const std::atomic<int>& stop) {
  const std::string made = launch.token.empty() ? make_token() : "";
  const std::string job = fmt::format("{}-0", kJob);
  const Store store =
      Store::host(launch.port, launch.deadline, {.token = launch.token + made, .loopback = !made.empty(), .job = job});
  Supervisor supervisor(launch, made, job_store(store, name_of_attempt(job, 0)));
  try {
    supervisor.start(store.port());
    return supervisor.watch(stop);
  } catch (...) {
    supervisor.kill_all();
    throw;
  }
}

}  // namespace resist
