#include "resist/cluster/cores.h"

#include <fmt/ranges.h>
#include <sched.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "resist/core/error.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<int> affinity_mask() {
  std::vector<int> cores;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &set)) {
        cores.push_back(core);
      }
    }
  }
  return cores.empty() ? std::vector<int>{0} : cores;
}

// The tightest limit of this process's control group and those above it (version 2: one line "0::/PATH").
double quota_of_control_groups() {
  const fs::path root = "/sys/fs/cgroup";
  std::istringstream lines(content_of("/proc/self/cgroup"));
  std::string line;
  while (std::getline(lines, line) && !line.starts_with("0::/")) {
  }
  double tightest = 0;
  for (fs::path group = line.starts_with("0::/") ? fs::path(line.substr(4)) : fs::path();;
       group = group.parent_path()) {
    const auto limit = parse_cpu_max(content_of(root / group / "cpu.max"));
    if (limit && (tightest == 0 || *limit < tightest)) {
      tightest = *limit;
    }
    if (group.empty()) {
      return tightest;
    }
  }
}

}  // namespace

std::optional<double> parse_cpu_max(const std::string& content) {
  std::istringstream words(content);
  double microseconds = 0;
  double period = 0;
  if (!(words >> microseconds >> period) || microseconds <= 0 || period <= 0) {
    return std::nullopt;
  }
  return microseconds / period;
}

Cores own_cores(int threads) {
  return {.machine = content_of("/proc/sys/kernel/random/boot_id"),
          .allowed = affinity_mask(),
          .quota = quota_of_control_groups(),
          .threads = threads};
}

CoreShare share_cores(const std::vector<Cores>& workers, int worker) {
  const Cores& own = workers.at(static_cast<std::size_t>(worker));
  std::size_t sharers = 0;
  std::size_t place = 0;
  int most_threads = 0;
  for (std::size_t other = 0; other < workers.size(); ++other) {
    if (workers[other].machine == own.machine && workers[other].allowed == own.allowed) {
      place += static_cast<int>(other) < worker ? 1 : 0;
      ++sharers;
      most_threads = std::max(most_threads, workers[other].threads);
    }
  }
  const std::size_t cores = own.allowed.size();
  const double usable = own.quota > 0 ? std::min(own.quota, static_cast<double>(cores)) : static_cast<double>(cores);
  CoreShare share;
  share.threads = own.threads > 0 ? own.threads : std::max(1, static_cast<int>(usable / static_cast<double>(sharers)));
  const std::size_t first = place * cores / sharers;
  const std::size_t end = (place + 1) * cores / sharers;
  const std::size_t needed = static_cast<std::size_t>(std::max(most_threads, share.threads));
  if (sharers > 1 && cores / sharers >= needed) {
    share.pinned.assign(own.allowed.begin() + static_cast<std::ptrdiff_t>(first),
                        own.allowed.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return share;
}

void stay_on(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) {
    CPU_SET(core, &set);
  }
  if (::sched_setaffinity(0, sizeof set, &set) != 0) {
    spdlog::warn("can't stay on the cores {}: {}", fmt::join(cores, ", "), system_message(errno));
  }
}

}  // namespace resist
