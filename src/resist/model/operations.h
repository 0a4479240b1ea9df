#pragma once

#include <cstdint>
#include <vector>

#include "resist/model/layout.h"

namespace resist {

// Floating-point operations (a multiplication with its addition is two) of one sample's forward pass through the
// convolutions and the head of a sub-network that holds these blocks (ascending ids). A training step takes three
// times as many: the backward pass has two products for each one here. Norms and rectifiers, a few percent, do not
// count. As the algorithm is defined; Winograd's filtering takes fewer.
std::int64_t forward_operations(const NetworkSpec& spec, const Layout& layout, const std::vector<int>& held);

// Of the sub-network without blocks; and on an average over its blocks, of one of each deck.
struct SubnetworkCost {
  double shared = 0;
  std::vector<double> block;
};
SubnetworkCost subnetwork_cost(const NetworkSpec& spec, const Layout& layout);

inline constexpr int kTrainingFactor = 3;  // operations of a training step over those of a forward pass

}  // namespace resist
