#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "resist/comm/communicator.h"
#include "resist/train/evaluate.h"
#include "resist/train/worker_parameters.h"

namespace resist {

// Blocks that visit every worker during an evaluation: the first holder of each sends it to those that do not hold it,
// one block ahead of its use. All workers fetch all blocks in the same order.
class TravellingBlocks : public BlockSource {
 public:
  TravellingBlocks(Communicator& communicator, WorkerParameters& parameters);
  ~TravellingBlocks() override;

  ParameterMemory fetch(int block) override;

 private:
  struct Visit;
  void start(int block);
  void finish(int block);

  Communicator& communicator_;
  WorkerParameters& parameters_;
  std::vector<std::int64_t> held_at_;  // per block: its place in the arena, or -1
  std::unique_ptr<Visit> visits_;
};

}  // namespace resist
