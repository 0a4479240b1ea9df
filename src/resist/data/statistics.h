#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "resist/data/dataset.h"

namespace resist {

// Per channel, of pixels scaled to [0, 1].
struct ChannelStatistics {
  std::vector<float> mean;
  std::vector<float> stddev;  // a channel that never changes has 1
};

// Over at most `most_samples` evenly spaced samples, as evaluation sees them, without those left out as damaged; exact
// integer sums, so the same on every machine. InputError if all are left out.
ChannelStatistics channel_statistics(const Dataset& dataset, const DatasetInfo& info, std::int64_t most_samples);

// The same, kept as normalisation-KEY.json in $XDG_CACHE_HOME/resist or ~/.cache/resist. A file there that is missing,
// damaged or can't be written only costs time.
ChannelStatistics cached_channel_statistics(const std::string& key, const Dataset& dataset, const DatasetInfo& info,
                                            std::int64_t most_samples);

}  // namespace resist
