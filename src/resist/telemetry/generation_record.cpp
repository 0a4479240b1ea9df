#include "resist/telemetry/generation_record.h"

namespace resist {

nlohmann::json to_json(const GenerationRecord& record) {
  nlohmann::json lost_blocks = nlohmann::json::array();
  for (const GenerationRecord::LostBlock& lost : record.lost_blocks) {
    lost_blocks.push_back({{"block", lost.block}, {"rounds", lost.rounds}});
  }
  nlohmann::json line = {{"generation", record.generation},
                         {"round", record.round},
                         {"members", record.members},
                         {"lost", record.lost},
                         {"joined", record.joined},
                         {"round_kept", record.round_kept},
                         {"restored_blocks", record.restored},
                         {"lost_blocks", lost_blocks},
                         {"seconds", record.seconds}};
  if (!record.next_blocks.empty()) {
    line["next_blocks"] = record.next_blocks;
  }
  return line;
}

}  // namespace resist
