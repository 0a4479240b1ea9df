#pragma once

#include <cstdint>
#include <vector>

#include "resist/model/layout.h"

namespace resist {

// Values that one sample's forward pass keeps for the backward pass of a sub-network that holds these blocks
// (ascending ids).
std::int64_t training_activations(const NetworkSpec& spec, const Layout& layout, const std::vector<int>& held);

// The same for the largest moment of a forward pass without a backward pass, as evaluation does.
std::int64_t evaluation_activations(const NetworkSpec& spec);

// Batches of `eval_batch_size` samples that an evaluation takes through the dealt blocks at a time: as many as need no
// more memory than a training step of `train_batch_size` samples, at least one.
std::int64_t evaluation_super_batch(const NetworkSpec& spec, const Layout& layout, std::int64_t train_batch_size,
                                    std::int64_t eval_batch_size);

// Bytes that the largest convolution of a batch takes beside its inputs, results and gradients (convolution.h).
std::int64_t convolution_scratch(const NetworkSpec& spec, std::int64_t batch, bool training);

// Elements of one sample's map behind the stem's convolution.
std::int64_t stem_map(const NetworkSpec& spec);

// Elements of one sample's feature map in a section.
std::int64_t feature_map(const NetworkSpec& spec, int section);

}  // namespace resist
