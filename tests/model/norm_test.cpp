#include "resist/model/norm.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <limits>
#include <vector>

#include "support/noise.h"

namespace resist {
namespace {

struct Inputs {
  at::Tensor x, weight, bias, grad_y;
};

Inputs make_inputs(int batch, int channels, int size) {
  return {.x = noise({batch, channels, size, size}, 1) * 3 + 5,
          .weight = noise({channels}, 2),
          .bias = noise({channels}, 3),
          .grad_y = noise({batch, channels, size, size}, 4)};
}

// Result and gradients, float32.
std::vector<at::Tensor> own(const Inputs& inputs, bool relu) {
  const at::Tensor x = inputs.x.clone().set_requires_grad(true);
  const at::Tensor weight = inputs.weight.clone().set_requires_grad(true);
  const at::Tensor bias = inputs.bias.clone().set_requires_grad(true);
  const at::Tensor y = batch_norm(x, weight, bias, relu);
  y.backward(inputs.grad_y);
  return {y.detach(), x.grad(), weight.grad(), bias.grad()};
}

// The same in float64, step by step.
std::vector<at::Tensor> exact(const Inputs& inputs, bool relu) {
  const at::Tensor x = inputs.x.to(at::kDouble).set_requires_grad(true);
  const at::Tensor weight = inputs.weight.to(at::kDouble).set_requires_grad(true);
  const at::Tensor bias = inputs.bias.to(at::kDouble).set_requires_grad(true);
  const at::Tensor centred = x - x.mean({0, 2, 3}, true);
  const at::Tensor normalised = centred / (centred.square().mean({0, 2, 3}, true) + 1e-5).sqrt();
  at::Tensor y = normalised * weight.view({1, -1, 1, 1}) + bias.view({1, -1, 1, 1});
  y = relu ? y.relu() : y;
  y.backward(inputs.grad_y.to(at::kDouble));
  return {y.detach(), x.grad(), weight.grad(), bias.grad()};
}

TEST(BatchNorm, AgreesWithFloat64InValuesAndGradients) {
  for (const bool relu : {false, true}) {
    for (const auto& [batch, channels, size] : {std::tuple(2, 3, 1), std::tuple(5, 12, 7), std::tuple(32, 64, 20)}) {
      SCOPED_TRACE(testing::Message() << batch << 'x' << channels << 'x' << size << (relu ? " relu" : ""));
      const Inputs inputs = make_inputs(batch, channels, size);
      const auto got = own(inputs, relu);
      const auto expected = exact(inputs, relu);
      for (std::size_t i = 0; i < got.size(); ++i) {
        const double length = expected[i].norm().item<double>();
        EXPECT_LT((got[i].to(at::kDouble) - expected[i]).norm().item<double>(), 2e-6 * length + 1e-6) << i;
      }
    }
  }
}

TEST(BatchNorm, InBf16AgreesToItsDigits) {
  for (const bool relu : {false, true}) {
    Inputs inputs = make_inputs(32, 12, 20);
    inputs.x = inputs.x.to(at::kBFloat16);
    inputs.grad_y = inputs.grad_y.to(at::kBFloat16);
    const auto got = own(inputs, relu);
    const auto expected = exact(inputs, relu);
    EXPECT_EQ(got[0].scalar_type(), at::kBFloat16);
    EXPECT_EQ(got[1].scalar_type(), at::kBFloat16);
    for (std::size_t i = 0; i < got.size(); ++i) {
      // The parameters' gradients are sums, and not rounded.
      const double digits = got[i].scalar_type() == at::kFloat ? 1e-5 : 3e-3;
      const double length = expected[i].norm().item<double>();
      EXPECT_LT((got[i].to(at::kDouble) - expected[i]).norm().item<double>(), digits * length) << i;
    }
  }
}

TEST(BatchNorm, GivesTheSameBitsWithAnyNumberOfThreads) {
  const Inputs inputs = make_inputs(32, 24, 20);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const auto alone = own(inputs, true);
  at::set_num_threads(3);
  const auto together = own(inputs, true);
  at::set_num_threads(before);
  for (std::size_t i = 0; i < alone.size(); ++i) {
    EXPECT_TRUE(at::equal(alone[i], together[i])) << i;
  }
}

TEST(BatchNorm, WithTheBatchsMomentsGivenIsTheSame) {
  const Inputs inputs = make_inputs(5, 12, 7);
  const ChannelMoments moments = batch_moments(inputs.x);
  const at::Tensor mean = inputs.x.to(at::kDouble).mean({0, 2, 3});
  const at::Tensor variance = inputs.x.to(at::kDouble).var({0, 2, 3}, /*unbiased=*/false);
  for (int channel = 0; channel < 12; ++channel) {
    EXPECT_NEAR(moments.mean[channel], mean[channel].item<double>(), 1e-5);
    EXPECT_NEAR(moments.variance[channel], variance[channel].item<double>(), 1e-5);
  }
  for (const bool relu : {false, true}) {
    const at::Tensor own = batch_norm(inputs.x, inputs.weight, inputs.bias, relu);
    EXPECT_TRUE(at::equal(batch_norm(inputs.x, inputs.weight, inputs.bias, relu, moments), own));
    const at::Tensor rounded = batch_norm(inputs.x.to(at::kBFloat16), inputs.weight, inputs.bias, relu, moments);
    EXPECT_TRUE(at::allclose(rounded.to(at::kFloat), own, 0.02, 0.05));
  }
}

TEST(BatchNorm, DoesNotHideWhatIsNotANumber) {
  Inputs inputs = make_inputs(2, 3, 2);
  inputs.x[0][1][0][0] = std::numeric_limits<float>::quiet_NaN();
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor y = batch_norm(inputs.x.to(type), inputs.weight, inputs.bias, true);
    EXPECT_TRUE(y.select(1, 1).isnan().all().item<bool>());
    EXPECT_FALSE(y.select(1, 0).isnan().any().item<bool>());
  }
}

}  // namespace
}  // namespace resist
