#include "resist/train/standing.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace resist {
namespace {

template <typename T>
T sum(const std::vector<T>& values) {
  return std::accumulate(values.begin(), values.end(), T{});
}

}  // namespace

int workers_of_round(const std::vector<Standing>& standings) {
  return std::ranges::max(column(standings, &Standing::placed_workers));
}

std::vector<std::int64_t> samples_of(const std::vector<Standing>& standings, int batch_size) {
  std::vector<std::int64_t> samples;
  samples.reserve(standings.size());
  for (const Standing& standing : standings) {
    samples.push_back(standing.local.iterations * batch_size);
  }
  return samples;
}

RoundRecord merge_reports(const std::vector<Report>& reports) {
  const auto locals = column(reports, &Report::local);
  // Who came to the round's end without having trained has no loss.
  std::vector<double> losses;
  double total = 0;
  int trained = 0;
  for (const LocalRound& local : locals) {
    losses.push_back(local.iterations > 0 ? local.loss / static_cast<double>(local.iterations) : std::nan(""));
    if (local.iterations > 0) {
      total += losses.back();
      ++trained;
    }
  }
  RoundRecord record{.loss = total / trained,
                     .learning_rate = std::ranges::max(column(locals, &LocalRound::learning_rate)),
                     .worker_loss = std::move(losses),
                     .worker_seconds_compute = column(locals, &LocalRound::seconds_compute),
                     .worker_seconds_sync = column(reports, &Report::seconds_sync),
                     .worker_seconds_wait = column(reports, &Report::seconds_wait),
                     .worker_bytes_sent = column(reports, &Report::bytes_sent),
                     .worker_bytes_received = column(reports, &Report::bytes_received),
                     .worker_peak_memory_bytes = column(reports, &Report::peak_memory_bytes)};
  record.seconds_compute = std::ranges::max(record.worker_seconds_compute);
  record.seconds_sync = std::ranges::max(record.worker_seconds_sync);
  record.seconds_wait = std::ranges::max(record.worker_seconds_wait);
  record.bytes_sent = sum(record.worker_bytes_sent);
  record.bytes_received = sum(record.worker_bytes_received);
  record.peak_memory_bytes = std::ranges::max(record.worker_peak_memory_bytes);
  return record;
}

std::vector<std::vector<int>> blocks_held(const std::vector<Report>& reports, std::size_t decks) {
  std::vector<std::vector<int>> held;
  held.reserve(reports.size());
  for (const Report& report : reports) {
    const auto& blocks = report.local.blocks;
    held.emplace_back(blocks.begin(), blocks.begin() + static_cast<std::ptrdiff_t>(decks));
  }
  return held;
}

}  // namespace resist
