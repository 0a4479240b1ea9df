#pragma once

namespace at {
class Tensor;
}

namespace resist {

// A convolution in bf16 as products of unfolded patches (unfold.h): x [batch, inputs, height, width] in bf16, weight
// [outputs, inputs, kernel, kernel] in float32, which its gradient is too. Returns bf16, channels_last. Part of
// autograd. On any processor; it is the faster way on those with matrix units (precision.h). Error where !can_unfold().
at::Tensor convolve_unfolded(const at::Tensor& x, const at::Tensor& weight, int stride);

// Whether plan_unfolded() has a plan for it.
bool can_unfold(const at::Tensor& x, const at::Tensor& weight, int stride);

}  // namespace resist
