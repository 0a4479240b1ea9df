#pragma once

namespace at {
class Tensor;
}

namespace resist {

// What a residual network's convolutions are: square kernel of odd size, padding half of it, no bias. x: [batch,
// inputs, height, width], float32 or bf16; weight: [outputs, inputs / groups, kernel, kernel]. Returns channels_last.
// Part of autograd.
//
// The weight takes part in x's type, so its gradient is float32 where it is. Float32 on the processor takes Winograd's
// algorithm where it is the faster one (winograd.h, plan_winograd); the products there are the BLAS library's. Bf16 on
// a processor with matrix units is worked by unfolding where that is (unfolded_convolution.h). Everything else is
// libtorch's convolution. They agree to about 1e-5 of the largest value in float32, to 1e-2 in bf16.
at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, int stride);

}  // namespace resist
