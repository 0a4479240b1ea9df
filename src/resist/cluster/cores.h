#pragma once

#include <optional>
#include <string>
#include <vector>

namespace resist {

// The processor cores that a worker may keep busy, as it tells the others.
struct Cores {
  std::string machine;       // workers with the same share a processor
  std::vector<int> allowed;  // the affinity mask, ascending
  double quota = 0;          // cores' worth of time that control groups allow; 0: no limit
  int threads = 0;           // that the worker was told to use; 0: as many as it gets
};

// This process's, as the system has it now.
Cores own_cores(int threads);

// What a worker gets of its machine's cores.
struct CoreShare {
  int threads = 1;
  std::vector<int> pinned;  // cores to stay on; empty: any
};

// Shares cores out among the workers that may use the same ones: those of one machine with one mask (a launcher that
// binds its processes gives them different masks). Each gets the cores divided by their number, at least one thread,
// and its own neighbouring cores to stay on where there are enough for all their threads. Pure.
CoreShare share_cores(const std::vector<Cores>& workers, int worker);

// Cores' worth of time that the content of a control group's cpu.max ("150000 100000", "max 100000") allows; nothing
// where it sets no limit or can't be read.
std::optional<double> parse_cpu_max(const std::string& content);

// Keeps this thread, and those that it starts from now on (a worker's compute threads), on these cores. A system that
// refuses is a warning.
void stay_on(const std::vector<int>& cores);

}  // namespace resist
