#include "resist/train/sgd.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <vector>

namespace resist {
namespace {

class Sgd : public testing::TestWithParam<bool> {};

// torch.optim.SGD's definition, step by step with tensors in float64.
TEST_P(Sgd, MatchesTorchsDefinition) {
  const bool nesterov = GetParam();
  const SgdOptions options{.lr = 0.1F, .momentum = 0.9F, .weight_decay = 0.01F, .nesterov = nesterov};
  constexpr std::int64_t kCount = 1003;
  at::Tensor value = at::linspace(-1, 1, kCount, at::kDouble);
  at::Tensor buffer = at::zeros({kCount}, at::kDouble);
  std::vector<float> values(kCount);
  std::vector<float> momentum(kCount);
  std::vector<float> gradients(kCount);
  for (std::int64_t i = 0; i < kCount; ++i) {
    values[i] = value[i].item<float>();
  }
  for (int step = 0; step < 3; ++step) {
    const at::Tensor gradient = (value * (7.0 + step)).sin();
    for (std::int64_t i = 0; i < kCount; ++i) {
      gradients[i] = gradient[i].item<float>();
    }
    const at::Tensor decayed = gradient + value * 0.01;
    buffer = buffer * 0.9 + decayed;
    value = value - (nesterov ? decayed + buffer * 0.9 : buffer) * 0.1;
    sgd_step(options, kCount, gradients.data(), momentum.data(), values.data());
  }
  for (std::int64_t i = 0; i < kCount; ++i) {
    ASSERT_NEAR(values[i], value[i].item<double>(), 1e-5) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(PlainAndNesterov, Sgd, testing::Bool());

TEST(SgdStep, GivesTheSameBitsHoweverARunIsCut) {
  const SgdOptions options{.lr = 0.1F, .momentum = 0.9F, .weight_decay = 0.01F, .nesterov = false};
  std::vector<float> gradients(777);
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    gradients[i] = static_cast<float>(i) / 7.0F;
  }
  std::vector<float> whole(777, 1.5F);
  std::vector<float> cut = whole;
  std::vector<float> momentum_whole(777, 0.25F);
  std::vector<float> momentum_cut = momentum_whole;
  sgd_step(options, 777, gradients.data(), momentum_whole.data(), whole.data());
  sgd_step(options, 5, gradients.data(), momentum_cut.data(), cut.data());
  sgd_step(options, 772, gradients.data() + 5, momentum_cut.data() + 5, cut.data() + 5);
  EXPECT_EQ(whole, cut);
  EXPECT_NE(whole, std::vector<float>(777, 1.5F));
}

}  // namespace
}  // namespace resist
