#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace resist {

// How well blocks were held. A block-round is one block in one round.
struct BlockTally {
  std::int64_t block_rounds = 0;
  double holders = 0;  // at the start of each block-round, summed up
  int least_holders = std::numeric_limits<int>::max();
  int most_holders = 0;
  std::int64_t unheld = 0;              // block-rounds at whose end no holder was left; asynchronous: without a merge
  std::int64_t rounds_with_unheld = 0;  // rounds in which that happened to any block
  // What those went on from; asynchronous: how many parts of blocks did.
  std::int64_t from_buddy = 0;       // a copy that is one round old
  std::int64_t from_group = 0;       // another replica group
  std::int64_t from_checkpoint = 0;  // of this many blocks ...
  double rounds_lost = 0;            // ... so many rounds of training are lost in all

  void count_holders(int holders_of_block);
  BlockTally& operator+=(const BlockTally& other);
};

// All that is counted while a simulation runs. Seconds and bytes are sums.
struct Tally {
  std::vector<double> round_seconds;  // of each round, from commit to commit
  double compute_seconds = 0;         // until the last worker had done its local iterations
  double sync_seconds = 0;            // the synchronisations that were committed
  double meeting_seconds = 0;         // waiting for other groups and averaging with them
  double samples = 0;                 // committed
  double samples_lost = 0;            // local iterations of workers that died before their round was committed
  double samples_rolled_back = 0;     // that were committed, but nobody who had them was left
  double bytes = 0;                   // payload sent, all workers, what follows included
  double busiest_link_bytes = 0;      // the most that one worker sends or receives in a round
  double wasted_bytes = 0;            // of exchanges that a death stopped
  double state_bytes = 0;             // to workers that joined
  std::int64_t failures = 0;
  std::int64_t cut_off = 0;             // of these
  std::int64_t joined = 0;              // workers that came back and entered a round
  std::int64_t stopped = 0;             // synchronisations that began anew since somebody died
  std::int64_t restarted = 0;           // times that a job had nobody left and began anew
  std::int64_t rounds_rolled_back = 0;  // in these
  double staleness = 0;  // asynchronous: merges of others between a worker's taking and giving, over the workers
  double most_staleness = 0;
  std::int64_t merges = 0;
  BlockTally blocks;

  // Another group's beside this one's.
  Tally& operator+=(const Tally& other);
};

}  // namespace resist
