#include "resist/simulate/tally.h"

#include <algorithm>

namespace resist {

void BlockTally::count_holders(int holders_of_block) {
  ++block_rounds;
  holders += holders_of_block;
  least_holders = std::min(least_holders, holders_of_block);
  most_holders = std::max(most_holders, holders_of_block);
}

BlockTally& BlockTally::operator+=(const BlockTally& other) {
  block_rounds += other.block_rounds;
  holders += other.holders;
  least_holders = std::min(least_holders, other.least_holders);
  most_holders = std::max(most_holders, other.most_holders);
  unheld += other.unheld;
  rounds_with_unheld += other.rounds_with_unheld;
  from_buddy += other.from_buddy;
  from_group += other.from_group;
  from_checkpoint += other.from_checkpoint;
  rounds_lost += other.rounds_lost;
  return *this;
}

Tally& Tally::operator+=(const Tally& other) {
  round_seconds.insert(round_seconds.end(), other.round_seconds.begin(), other.round_seconds.end());
  compute_seconds += other.compute_seconds;
  sync_seconds += other.sync_seconds;
  meeting_seconds += other.meeting_seconds;
  samples += other.samples;
  samples_lost += other.samples_lost;
  samples_rolled_back += other.samples_rolled_back;
  bytes += other.bytes;
  busiest_link_bytes += other.busiest_link_bytes;
  wasted_bytes += other.wasted_bytes;
  state_bytes += other.state_bytes;
  failures += other.failures;
  cut_off += other.cut_off;
  joined += other.joined;
  stopped += other.stopped;
  restarted += other.restarted;
  rounds_rolled_back += other.rounds_rolled_back;
  staleness += other.staleness;
  most_staleness = std::max(most_staleness, other.most_staleness);
  merges += other.merges;
  blocks += other.blocks;
  return *this;
}

}  // namespace resist
