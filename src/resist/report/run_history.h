#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "resist/config/config.h"
#include "resist/partition/assignment.h"
#include "resist/telemetry/round_record.h"

namespace resist {

// Rounds first..last (counted from 1, as RoundRecord does), in all of which the workers held the same blocks.
struct HoldingSpan {
  std::int64_t first_round;
  std::int64_t last_round;
  Assignment assignment;
};

// What the folder of a run says of it.
struct RunHistory {
  std::string name;                   // for people; among the runs of one report each has another
  std::filesystem::path path;         // as given
  std::optional<Config> config;       // of the run's last start; unset: not written yet
  std::vector<RoundRecord> records;   // in ascending rounds; a crash of the machine may have cost some
  std::vector<std::string> blocks;    // names of the partitioned ones (layer3.4), by id (Layout::blocks)
  std::vector<HoldingSpan> holdings;  // of the recorded rounds, ascending
  std::string problem;                // why this is not the run's newest state, or empty
};

// Reads a run's folder, which may belong to a run that is still training. No record is no error. InputError, in one
// line, if it is not a run's folder or if what it holds can't be read or contradicts itself.
RunHistory read_run_history(const std::filesystem::path& run_dir);

// Names for runs that appear together: the last parts of their paths, as many as tell them apart. InputError if a run
// is given twice.
std::vector<std::string> run_names(const std::vector<std::filesystem::path>& run_dirs);

}  // namespace resist
