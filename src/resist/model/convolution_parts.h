#pragma once

#include <torch/types.h>

#include <cstdint>

// What the ways of working a convolution (convolution.h) have in common.
namespace resist {

inline constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

// `size` elements of memory that this thread's convolutions share, one at a time. It is kept: among the activations it
// would leave a hole after every convolution.
at::Tensor convolution_memory(std::int64_t size, at::ScalarType type);

// libtorch's convolution, part of autograd.
at::Tensor library_convolution(const at::Tensor& x, const at::Tensor& weight, int stride);

}  // namespace resist
