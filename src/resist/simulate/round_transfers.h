#pragma once

#include <cstdint>
#include <vector>

#include "resist/comm/exchange.h"
#include "resist/config/config.h"
#include "resist/model/layout.h"

namespace resist {

// What the end of a round has to bring about, among the workers that take part; they are named by rank. All lists are
// ascending.
struct Handover {
  int workers = 0;
  std::vector<int> trained;                 // those that have the round's shared parameters; the others join
  std::vector<std::vector<int>> holders;    // per block: those that have it, at least one
  std::vector<std::vector<int>> receivers;  // per block: those that are to have it
};

// What is exchanged for that and how often, as plan/round_exchanges.h has it for a round without failures.
struct RoundTransfer {
  std::vector<Segment> segments;
  double times = 1;     // gradients: at every iteration
  bool hidden = false;  // travels while the next round trains
};

// Pure.
std::vector<RoundTransfer> round_transfers(const Config& config, const Layout& layout, const Handover& handover);

// Payload bytes of a block, and of the shared parameters, as one worker hands them to another: once as the options'
// format has it, and once more in float32 where the momentum goes with them: where it is averaged, or the same
// everywhere (data-parallel).
double block_bytes(const Config& config, const Layout& layout, int block);
double shared_bytes(const Config& config, const Layout& layout);

}  // namespace resist
