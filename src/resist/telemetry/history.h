#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

namespace resist {

// What is in RUN/history.jsonl: a run's workers, and what each gave to each round. The run's options and this decide
// its bits. A line is one of these; "event" says which.

// The workers found each other, to begin a run or to go on with one.
struct StartRecord {
  std::int64_t round = 0;                             // committed rounds then
  int workers = 0;                                    // identities 0, 1, ...
  nlohmann::json options = nlohmann::json::object();  // those that another start may have changed, by name
  bool operator==(const StartRecord&) const = default;
};

// The workers changed.
struct GenerationRecord {
  // A block that was lost with all its copies.
  struct LostBlock {
    int block = 0;
    std::int64_t rounds = 0;  // of its training that were lost
    bool operator==(const LostBlock&) const = default;
  };
  std::int64_t generation = 0;
  std::int64_t round = 0;     // committed rounds when it began
  std::vector<int> members;   // identities, by rank
  std::vector<int> lost;      // those of the generation before that are not among them
  std::vector<int> joined;    // those that were not in the generation before
  bool round_kept = false;    // the local iterations under way were kept, and ended a round
  std::vector<int> restored;  // blocks that came from a copy
  std::vector<LostBlock> lost_blocks;
  std::vector<std::vector<int>> next_blocks;  // by worker, of each deck, from now on; empty: all the same
  double seconds = 0;                         // from when worker 0 noticed until training went on
  bool operator==(const GenerationRecord&) const = default;
};

// Batches whose first samples are at stream positions first, first + stride, ...
struct BatchRun {
  std::int64_t first = 0;
  std::int64_t stride = 0;
  std::int64_t count = 0;
  bool operator==(const BatchRun&) const = default;
};

// What a worker gave to a committed round. Iterations that were lost with their worker are in none.
struct Contribution {
  int worker = 0;  // identity
  std::int64_t iterations = 0;
  std::vector<BatchRun> batches;  // of the one stream if the data are sharded, otherwise of the worker's own
  std::vector<int> blocks;        // that it trained
  bool operator==(const Contribution&) const = default;
};

// A round was committed.
struct CommitRecord {
  std::int64_t round = 0;       // from 1
  std::int64_t generation = 0;  // that committed it
  std::vector<int> members;     // of that
  std::vector<Contribution> contributions;
  std::vector<std::vector<int>> next_blocks;  // by worker, of each deck, in the next round; empty: all the same
  std::string shared;  // XXH3 of the shared parameters then; empty: workers don't have the same (--overlap)
  bool operator==(const CommitRecord&) const = default;
};

using HistoryRecord = std::variant<StartRecord, GenerationRecord, CommitRecord>;

nlohmann::json to_json(const HistoryRecord& record);
// InputError says what is wrong.
HistoryRecord history_record_from_json(const nlohmann::json& json);

// Positions in order, as few runs as they make.
std::vector<BatchRun> to_runs(const std::vector<std::int64_t>& positions);

}  // namespace resist
