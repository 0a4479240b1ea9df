#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "resist/config/config.h"
#include "resist/config/toml_file.h"
#include "resist/telemetry/run_folder.h"

namespace resist {

// A run of resist with 5 partitioned blocks, 2 of which a worker holds, and 320 samples a round of 2 workers.
inline Config sample_config() {
  Config config;
  config.model.depths = {1, 1, 6, 1};
  config.data.data = "synthetic:1000,1,16,16,4";
  config.train.seed = 7;
  config.train.local_iterations = 5;
  config.train.batch_size = 32;
  config.partition.min_blocks = 2;
  return config;
}

inline constexpr double kSampleDataset = 1000;  // samples

// What round `round` of such a run leaves: worker w computes w + 1 seconds and sends 100 * (w + 1) bytes.
inline RoundRecord sample_record(std::int64_t round, int workers = 2) {
  RoundRecord record{.round = round,
                     .loss = 2.0 / static_cast<double>(round),
                     .samples = round * 160 * workers,
                     .seconds_compute = static_cast<double>(workers),
                     .seconds_sync = 0.5,
                     .seconds_wait = static_cast<double>(workers - 1),
                     .peak_memory_bytes = 1000 + round};
  record.epoch = static_cast<double>(record.samples) / kSampleDataset;
  for (int worker = 0; worker < workers; ++worker) {
    const std::int64_t bytes = 100 * (worker + 1);
    record.bytes_sent += bytes;
    record.bytes_received += bytes;
    record.worker_loss.push_back(record.loss);
    record.worker_seconds_compute.push_back(worker + 1);
    record.worker_seconds_sync.push_back(0.5);
    record.worker_seconds_wait.push_back(workers - 1 - worker);
    record.worker_bytes_sent.push_back(bytes);
    record.worker_bytes_received.push_back(bytes);
    record.worker_peak_memory_bytes.push_back(1000);
  }
  return record;
}

inline RoundRecord evaluated(RoundRecord record, double accuracy) {
  record.accuracy = accuracy;
  record.top5_accuracy = 1;
  record.test_loss = 1 - accuracy;
  record.seconds_evaluation = 0.25;
  return record;
}

inline std::vector<RoundRecord> sample_records(std::int64_t rounds, int workers = 2) {
  std::vector<RoundRecord> records;
  for (std::int64_t round = 1; round <= rounds; ++round) {
    records.push_back(sample_record(round, workers));
  }
  return records;
}

// The folder that such a run leaves.
inline void write_run(const std::filesystem::path& path, const Config& config,
                      const std::vector<RoundRecord>& records) {
  RunFolder folder = RunFolder::create(path, to_toml(config));
  for (const RoundRecord& record : records) {
    folder.append(record);
  }
}

}  // namespace resist
