#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "resist/telemetry/round_record.h"

namespace resist {

// A round of workers that compute that long and then synchronise for `sync` seconds, 600 samples and 23 MB a worker.
inline RoundRecord round_of(std::int64_t round, const std::vector<double>& compute, double sync) {
  RoundRecord record;
  record.round = round;
  record.samples = 600 * round;
  record.epoch = 0.01 * static_cast<double>(round);
  record.loss = 0.3 + 2 * std::exp(-static_cast<double>(round) / 40);
  record.seconds_compute = *std::max_element(compute.begin(), compute.end());
  record.seconds_sync = sync;
  for (const double seconds : compute) {
    const double wait = record.seconds_compute - seconds;
    record.seconds_wait = std::max(record.seconds_wait, wait);
    record.worker_loss.push_back(record.loss);
    record.worker_seconds_compute.push_back(seconds);
    record.worker_seconds_wait.push_back(wait);
    record.worker_seconds_sync.push_back(sync);
    record.worker_bytes_sent.push_back(23'000'000);
    record.worker_bytes_received.push_back(23'000'000);
    record.worker_peak_memory_bytes.push_back(264'000'000);
  }
  const auto workers = static_cast<std::int64_t>(compute.size());
  record.bytes_sent = record.bytes_received = 23'000'000 * workers;
  record.peak_memory_bytes = 264'000'000;
  return record;
}

// Rounds 1 to `count`; every fifth is evaluated.
inline std::vector<RoundRecord> rounds_of(std::int64_t count, const std::vector<double>& compute, double sync) {
  std::vector<RoundRecord> records;
  for (std::int64_t round = 1; round <= count; ++round) {
    records.push_back(round_of(round, compute, sync));
    if (round % 5 == 0) {
      records.back().accuracy = 0.9 - 0.8 * std::exp(-static_cast<double>(round) / 30);
    }
  }
  return records;
}

}  // namespace resist
