#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

namespace resist {

struct LocalLaunch {
  std::vector<std::string> arguments;  // of a worker, after the program's name
  int workers = 1;
  int least = 1;                         // with fewer left the job stops at a checkpoint
  int restarts = 0;                      // lost workers that are replaced, in all
  int port = 0;                          // of the rendezvous on this machine; 0: a free one
  std::string token;                     // the job's, which workers find out themselves; empty: one is made for them
  std::chrono::milliseconds deadline{};  // of an answer of the rendezvous
};

// Runs this program as `workers` processes on this machine, under the environment that torchrun would give them, and
// watches them. When one is lost while they train, the others are told and go on, and another one is started that
// joins them; one that they leave out is ended.
// Before, and when one meets wrong input, the others are ended within seconds and the cause is logged. Signals in
// `stop` are passed on to the workers. Returns the exit code for this process: 0 when workers came to the end; 75 or
// 128 + n when they stopped by a signal or were too few; otherwise the first bad worker's cause (1; 2 for wrong input).
int launch_workers(const LocalLaunch& launch, const std::atomic<int>& stop);

}  // namespace resist
