#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

namespace resist {

// One line of history.jsonl: the workers changed.
struct GenerationRecord {
  // A block that was lost with all its copies.
  struct LostBlock {
    int block = 0;
    std::int64_t rounds = 0;  // of its training that were lost
  };
  std::int64_t generation = 0;
  std::int64_t round = 0;     // committed rounds when it began
  std::vector<int> members;   // identities, by rank
  std::vector<int> lost;      // those of the generation before that are not among them
  std::vector<int> joined;    // those that were not in the generation before
  bool round_kept = false;    // the local iterations under way were kept, and ended a round
  std::vector<int> restored;  // blocks that came from a copy
  std::vector<LostBlock> lost_blocks;
  std::vector<std::vector<int>> next_blocks;  // with --balance: as a round's record has it
  double seconds = 0;                         // from when worker 0 noticed until training went on
};

nlohmann::json to_json(const GenerationRecord& record);

}  // namespace resist
