#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace resist {

// On one further test set (--eval).
struct FurtherResult {
  std::string name;
  std::int64_t samples = 0;
  double accuracy = 0;  // top-1 in [0, 1]
  double top5_accuracy = 0;
  double test_loss = 0;
};

// One line of metrics.jsonl.
struct RoundRecord {
  std::int64_t round = 0;         // committed rounds, this one included
  double epoch = 0;               // samples / training set size
  double loss = 0;                // mean training loss of the round over iterations and workers
  double learning_rate = 0;       // of the round's last iteration
  std::int64_t samples = 0;       // trained on so far by all workers
  double seconds_compute = 0;     // longest of the workers
  double seconds_sync = 0;        // from all ready until committed, longest of the workers
  double seconds_wait = 0;        // own readiness until the last peer's, longest of the workers
  double seconds_evaluation = 0;  // 0 where not evaluated
  std::int64_t bytes_sent = 0;    // payload of this round's synchronisation, all workers
  std::int64_t bytes_received = 0;
  std::int64_t peak_memory_bytes = 0;  // resident, of the largest worker process
  // Per worker, in rank order.
  std::vector<double> worker_loss;
  std::vector<double> worker_seconds_compute;
  std::vector<double> worker_seconds_sync;
  std::vector<double> worker_seconds_wait;
  std::vector<std::int64_t> worker_bytes_sent;
  std::vector<std::int64_t> worker_bytes_received;
  std::vector<std::int64_t> worker_peak_memory_bytes;
  // With --balance: the blocks of each deck that each worker held, and those that the workers have agreed to hold in
  // the next round (none: as many each), by rank.
  std::optional<std::vector<std::vector<int>>> worker_blocks;
  std::optional<std::vector<std::vector<int>>> next_blocks;
  // Where evaluated.
  std::optional<double> accuracy;  // top-1 in [0, 1]
  std::optional<double> top5_accuracy;
  std::optional<double> test_loss;
  std::optional<std::int64_t> eval_batch_size;        // with the permutation part of the result, since norms
  std::optional<std::int64_t> eval_permutation_seed;  // use a batch's own statistics
  std::vector<FurtherResult> further;
};

// The object of one line: the fields under their names; those that start with worker_ without that, as lists in the
// object "workers"; further results by name in the object "further"; those that are unset not at all. Numbers that are
// not finite are written as null.
nlohmann::json to_json(const RoundRecord& record);
// The reverse: null is NaN, keys it does not know are skipped. InputError names the key that is missing or wrong.
RoundRecord round_record_from_json(const nlohmann::json& object);

}  // namespace resist
