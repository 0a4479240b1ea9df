#pragma once

#include "resist/model/norm_statistics.h"

namespace at {
class Tensor;
}

namespace resist {

// Batch norm with the batch's own statistics (eps 1e-5) over x: [batch, channels, height, width], channels_last, with a
// rectifier behind it where `relu` is set. weight, bias: [channels], float32. Part of autograd.
//
// Float32 and bf16 on the processor are worked here: both in one pass, sums in float64, in an order that does not
// depend on the number of threads. libtorch's sums over channels_last are float32 throughout, which costs a bias of a
// large map three digits. Other types and devices are libtorch's.
at::Tensor batch_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool relu);

// The same with given statistics, as a single picture needs them. Not part of autograd.
at::Tensor batch_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool relu,
                      const ChannelMoments& statistics);

// What batch_norm(x) normalises with.
ChannelMoments batch_moments(const at::Tensor& x);

}  // namespace resist
