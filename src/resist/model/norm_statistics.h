#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "resist/model/layout.h"

namespace resist {

// Per channel, over a batch's samples and their maps.
struct ChannelMoments {
  std::vector<float> mean;
  std::vector<float> variance;  // mean square deviation, not Bessel's
};

// Statistics of norms' inputs, by the norm's name: layer3.7.bn1.
using NormStatistics = std::map<std::string, ChannelMoments>;

// Every norm of a network with its number of channels.
std::map<std::string, std::int64_t> norm_channels(const Layout& layout);

}  // namespace resist
