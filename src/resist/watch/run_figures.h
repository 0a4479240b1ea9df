#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "resist/telemetry/round_record.h"

namespace resist {

// What a run is to do, as its config says.
struct RunAim {
  std::string method;
  std::string model;
  std::string data;
  double epochs = 0;
  std::int64_t rounds = 0;  // instead of epochs; 0: epochs count
  int eval_every = 0;       // rounds; 0: at the end only
  bool overlap = false;     // bytes travel while workers compute: --overlap, data-parallel
};

// One worker, mean of the latest rounds.
struct WorkerFigures {
  double seconds_compute = 0;
  double seconds_wait = 0;
  double seconds_sync = 0;
  double bytes_sent = 0;
  double bytes_received = 0;
  double bits_per_second = 0;          // over its link, the busier direction, while it is in use; 0: not known
  std::int64_t peak_memory_bytes = 0;  // so far
};

// What rounds take longer for than they would have to.
enum class Delay {
  none,     // nearly all of a round is computing, by all workers alike
  compute,  // one worker computes longer than the others, which wait for it
  wait,     // workers wait, but each round for another one
  sync,     // synchronisations
};

// A run so far. Times and rates are of the latest rounds, which follow a change soon and yet do not jump.
struct RunFigures {
  std::int64_t round = 0;
  std::int64_t total_rounds = 0;  // an estimate where the aim is epochs; 0: not known
  double epoch = 0;
  double done = 0;        // share of the aim, 0 to 1
  bool finished = false;  // the aim is reached
  double loss = 0;
  std::optional<double> accuracy;  // the latest
  std::optional<double> best_accuracy;
  std::int64_t best_round = 0;
  double seconds = 0;  // of all rounds
  double seconds_per_round = 0;
  std::optional<double> seconds_left;
  double samples_per_second = 0;  // by all workers, without evaluations; 0: not known
  std::int64_t bytes_sent = 0;    // by all workers in all rounds
  double wait_share = 0;          // of a round, by the worker that waits longest
  double sync_share = 0;          // of a round
  std::vector<WorkerFigures> workers;
  int slowest = -1;  // worker; -1: nothing is known, or there is only one
  Delay delay = Delay::none;
};

// How many of a run's rounds count as its latest.
inline constexpr std::size_t kLatestRounds = 10;

// Pure; `records` in the order of their rounds.
RunFigures figures_of(const RunAim& aim, std::span<const RoundRecord> records);

// Which worker is slowest, why, and what may help, in one sentence.
std::string delay_in_words(const RunFigures& figures);

}  // namespace resist
