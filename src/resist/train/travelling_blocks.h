#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "resist/comm/communicator.h"
#include "resist/train/evaluate.h"
#include "resist/train/worker_parameters.h"

namespace resist {

// Blocks that visit every worker during an evaluation (sync/block_visits.h). All workers fetch all blocks in the same
// order.
class TravellingBlocks : public BlockSource {
 public:
  TravellingBlocks(Communicator& communicator, WorkerParameters& parameters);
  ~TravellingBlocks() override;

  ParameterMemory fetch(int block) override;

 private:
  struct Visit;
  struct Held;
  Visit& visit(int block);
  void start(int block);

  Communicator& communicator_;
  WorkerParameters& parameters_;
  std::unique_ptr<Held> held_;
  std::vector<int> senders_;   // per block
  std::vector<Visit> visits_;  // under way or in use; block b's is b modulo their number
  int started_ = 0;            // blocks of this pass
};

}  // namespace resist
