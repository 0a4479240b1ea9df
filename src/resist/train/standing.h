#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "resist/comm/exchange.h"
#include "resist/partition/balance.h"
#include "resist/telemetry/round_record.h"

namespace resist {

// What workers tell each other about a round. All are trivially copyable: they travel as bytes.

inline constexpr std::size_t kMostDecks = 8;  // --partition-sections

// What a worker has done since the last commit.
struct LocalRound {
  double loss = 0;  // sum over the iterations
  double seconds_compute = 0;
  double seconds_sync = 0;  // averaging gradients, where the method does; waiting for an average to land
  double learning_rate = 0;
  std::int64_t iterations = 0;
  Payload payload;                       // gradients, and with --overlap the average that landed
  std::int64_t bad_iteration = -1;       // first at which something is not finite; -1: all is
  std::array<int, kMostDecks> blocks{};  // held, of each deck
  bool bad_loss = false;                 // it was the loss, otherwise a parameter after the round's last iteration
  char bad_parameter[64] = {};           // name of the first parameter that is not finite
  bool finite() const { return bad_iteration < 0; }
};

// Where a worker is when a round is to end.
struct Standing {
  LocalRound local;
  std::int64_t commits = 0;                      // -1: it joins
  std::int64_t staged = -1;                      // the commit that it has all of and has not made; -1: none
  int placed_as = 0;                             // its rank in the placement of the last commit
  int placed_workers = 0;                        // and how many there were then
  std::array<double, kMostDecks> block_scale{};  // of the last committed round
  std::array<double, kMostDecks> scale_under_way{};
  Pace pace;                  // the round that ends included
  std::int64_t reported = 0;  // rounds
  bool has_report = false;    // of the last round
  int stop_signal = 0;
  bool somebody_waits = false;
  bool rendezvous_lost = false;
};

// Of a committed round.
struct Report {
  LocalRound local;
  double seconds_wait = 0;
  double seconds_sync = 0;
  std::int64_t bytes_sent = 0;
  std::int64_t bytes_received = 0;
  std::int64_t peak_memory_bytes = 0;
};

// One field of every worker's.
template <typename Told, typename Field>
std::vector<Field> column(const std::vector<Told>& all, Field Told::*field) {
  std::vector<Field> values;
  values.reserve(all.size());
  for (const Told& one : all) {
    values.push_back(one.*field);
  }
  return values;
}

// How many workers trained the round, lost ones included.
int workers_of_round(const std::vector<Standing>& standings);

// That each has used since the last commit.
std::vector<std::int64_t> samples_of(const std::vector<Standing>& standings, int batch_size);

// The round as all workers together saw it. What their training's position says (round, epoch, samples) is left out.
RoundRecord merge_reports(const std::vector<Report>& reports);

// By worker, of each of the first `decks` decks.
std::vector<std::vector<int>> blocks_held(const std::vector<Report>& reports, std::size_t decks);

}  // namespace resist
