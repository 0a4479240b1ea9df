#include "resist/model/convolution.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <ostream>
#include <vector>

#include "resist/core/error.h"
#include "resist/model/unfolded_convolution.h"
#include "resist/model/winograd.h"
#include "support/noise.h"

namespace resist {
namespace {

// A convolution's result and its gradients under the same sum.
std::vector<at::Tensor> result_and_gradients(const at::Tensor& y, const at::Tensor& x, const at::Tensor& weight) {
  (y * noise(y.sizes(), 3)).sum().backward();
  return {y.detach(), x.grad(), weight.grad()};
}

struct Case {
  int batch, inputs, outputs, height, width, kernel, stride;
  bool winograd;
  friend std::ostream& operator<<(std::ostream& out, const Case& c) {
    return out << c.batch << 'x' << c.inputs << 'x' << c.height << 'x' << c.width << " to " << c.outputs << ", kernel "
               << c.kernel << ", stride " << c.stride;
  }
};

class EveryConvolution : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(Convolution, EveryConvolution,
                         testing::Values(Case{8, 32, 32, 8, 8, 3, 1, true}, Case{9, 64, 32, 7, 5, 3, 1, true},
                                         Case{16, 32, 40, 4, 4, 3, 1, true}, Case{70, 32, 32, 28, 28, 3, 1, true},
                                         Case{2, 32, 32, 8, 8, 3, 1, false}, Case{8, 8, 16, 8, 8, 3, 1, false},
                                         Case{8, 32, 64, 8, 8, 3, 2, false}, Case{8, 32, 64, 8, 8, 1, 2, false},
                                         Case{8, 4, 8, 7, 7, 1, 2, false}, Case{8, 32, 64, 8, 8, 1, 1, false},
                                         Case{4, 1, 8, 28, 28, 3, 1, false}));

TEST_P(EveryConvolution, AgreesWithLibtorchInValuesAndGradients) {
  const Case& shape = GetParam();
  const auto plan = plan_winograd(shape.batch, shape.inputs, shape.outputs, shape.height, shape.width);
  ASSERT_EQ(plan.has_value() && shape.stride == 1 && shape.kernel == 3, shape.winograd);
  if (shape.batch == 70) {
    ASSERT_NE(shape.batch % plan->group, 0);  // a last group that is smaller
  }
  const at::Tensor image = noise({shape.batch, shape.inputs, shape.height, shape.width}, 1);
  const at::Tensor filters = noise({shape.outputs, shape.inputs, shape.kernel, shape.kernel}, 2);
  const auto run = [&](auto convolution) {
    at::Tensor x = image.clone().set_requires_grad(true);
    at::Tensor weight = filters.clone().set_requires_grad(true);
    return result_and_gradients(convolution(x, weight), x, weight);
  };
  const auto own = run([&](const at::Tensor& x, const at::Tensor& w) { return convolve(x, w, shape.stride); });
  const auto expected = run(
      [&](const at::Tensor& x, const at::Tensor& w) { return at::conv2d(x, w, {}, shape.stride, shape.kernel / 2); });
  for (std::size_t i = 0; i < own.size(); ++i) {
    const double size = expected[i].abs().max().item<double>();
    EXPECT_LT((own[i] - expected[i]).abs().max().item<double>(), 1e-4 * size) << i;
  }
  EXPECT_TRUE(own[0].is_contiguous(at::MemoryFormat::ChannelsLast));
}

// Direct convolution in float32 of what bf16 holds of the values.
at::Tensor in_bf16(const at::Tensor& values) {
  return values.to(at::kBFloat16).to(at::kFloat);
}

TEST(Convolution, UnfoldingAgreesWithLibtorchInBf16) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512bw") == 0) {
    GTEST_SKIP() << "libtorch's products in bf16 are only added up in float32 where there is AVX-512";
  }
#endif
  struct Shape {
    int batch, inputs, outputs, side, stride;
  };
  for (const Shape shape :
       {Shape{8, 64, 64, 4, 1}, Shape{8, 64, 96, 8, 2}, Shape{3, 128, 128, 8, 1}, Shape{70, 128, 32, 8, 1},
        Shape{1, 64, 64, 4, 1}, Shape{4, 64, 32, 2, 2}, Shape{1, 64, 64, 1, 1}}) {
    const at::Tensor image = in_bf16(noise({shape.batch, shape.inputs, shape.side, shape.side}, 1));
    const at::Tensor filters = in_bf16(noise({shape.outputs, shape.inputs, 3, 3}, 2));
    const auto run = [&](at::ScalarType type, auto convolution) {
      at::Tensor x = image.to(type).set_requires_grad(true);
      at::Tensor weight = filters.clone().set_requires_grad(true);
      return result_and_gradients(convolution(x, weight), x, weight);
    };
    const auto own = run(
        at::kBFloat16, [&](const at::Tensor& x, const at::Tensor& w) { return convolve_unfolded(x, w, shape.stride); });
    const auto expected = run(
        at::kFloat, [&](const at::Tensor& x, const at::Tensor& w) { return at::conv2d(x, w, {}, shape.stride, 1); });
    ASSERT_EQ(own[2].scalar_type(), at::kFloat);
    for (std::size_t i = 0; i < own.size(); ++i) {
      const double length = expected[i].norm().item<double>();
      EXPECT_LT((own[i].to(at::kFloat) - expected[i]).norm().item<double>(), 1e-2 * length)
          << i << ", " << shape.inputs << " channels of " << shape.side;
    }
    EXPECT_TRUE(own[0].is_contiguous(at::MemoryFormat::ChannelsLast));
  }
}

TEST(Convolution, UnfoldingRefusesWhatItIsNotFor) {
  EXPECT_THROW(convolve_unfolded(noise({8, 64, 4, 4}, 1), noise({64, 64, 3, 3}, 2), 1), Error);
  EXPECT_THROW(convolve_unfolded(noise({8, 64, 32, 32}, 1).to(at::kBFloat16), noise({64, 64, 3, 3}, 2), 1), Error);
}

TEST(Convolution, GivesTheSameBitsAgain) {
  const at::Tensor x = noise({70, 32, 14, 14}, 1);
  const at::Tensor weight = noise({32, 32, 3, 3}, 2);
  EXPECT_TRUE(at::equal(convolve(x, weight, 1), convolve(x, weight, 1)));
}

}  // namespace
}  // namespace resist
