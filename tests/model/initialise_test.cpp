#include "resist/model/initialise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace resist {
namespace {

std::vector<float> initial_shared(const Layout& layout, std::uint64_t seed) {
  std::vector<float> values(static_cast<std::size_t>(layout.shared_size), NAN);
  initialise(layout.shared, seed, values);
  return values;
}

TEST(Initialise, BranchesStartAtZeroWhereAskedTo) {
  struct Kind {
    BlockType block;
    bool bottleneck;
    std::string last;
  };
  for (const auto& [block, bottleneck, last] :
       {Kind{BlockType::preact, false, ".conv2.weight"}, Kind{BlockType::preact, true, ".conv3.weight"},
        Kind{BlockType::postact, false, ".bn2.weight"}}) {
    const Layout layout =
        make_layout({.block = block, .bottleneck = bottleneck, .zero_init = true, .depths = {1, 1, 2, 1}, .width = 4});
    const auto values = initial_shared(layout, 1);
    for (const Parameter& parameter : layout.shared) {
      const auto begin = values.begin() + parameter.offset;
      const bool zero = std::all_of(begin, begin + parameter.size, [](float v) { return v == 0.0F; });
      EXPECT_EQ(zero, parameter.kind == ParameterKind::norm_bias || parameter.name.ends_with(last)) << parameter.name;
    }
  }
}

TEST(Initialise, IsUniformWithinPyTorchsBounds) {
  const Layout layout = make_layout({.depths = {1, 1, 2, 1}, .width = 16});
  const auto values = initial_shared(layout, 1);
  for (const Parameter& parameter : layout.shared) {
    const auto begin = values.begin() + parameter.offset;
    const auto end = begin + parameter.size;
    if (parameter.kind == ParameterKind::norm_weight) {
      EXPECT_TRUE(std::all_of(begin, end, [](float v) { return v == 1.0F; })) << parameter.name;
    } else if (parameter.kind == ParameterKind::norm_bias) {
      EXPECT_TRUE(std::all_of(begin, end, [](float v) { return v == 0.0F; })) << parameter.name;
    } else {
      const double bound = 1.0 / std::sqrt(static_cast<double>(parameter.fan_in));
      double squares = 0;
      for (auto it = begin; it != end; ++it) {
        ASSERT_LE(std::abs(*it), bound * 1.000001) << parameter.name;
        squares += static_cast<double>(*it) * *it;
      }
      if (parameter.size > 1000) {  // variance of a uniform distribution: bound^2 / 3
        EXPECT_NEAR(squares / static_cast<double>(parameter.size) / (bound * bound / 3), 1, 0.15) << parameter.name;
      }
    }
  }
}

TEST(Initialise, DependsOnSeedAndPlaceInTheGlobalNetworkOnly) {
  NetworkSpec spec{.depths = {1, 1, 4, 1}, .width = 8};
  const Layout dealt = make_layout(spec);
  EXPECT_EQ(initial_shared(dealt, 1), initial_shared(dealt, 1));
  EXPECT_NE(initial_shared(dealt, 1), initial_shared(dealt, 2));

  // The same parameter starts with the same values whether it is shared or partitioned.
  spec.partition_sections = {};
  const Layout whole = make_layout(spec);
  const auto all = initial_shared(whole, 1);
  for (const BlockLayout& block : dealt.blocks) {
    std::vector<float> values(static_cast<std::size_t>(block.size));
    initialise(block.parameters, 1, values);
    for (const Parameter& parameter : block.parameters) {
      const auto same = std::ranges::find(whole.shared, parameter.name, &Parameter::name);
      ASSERT_NE(same, whole.shared.end());
      EXPECT_TRUE(std::equal(values.begin() + parameter.offset, values.begin() + parameter.offset + parameter.size,
                             all.begin() + same->offset))
          << parameter.name;
    }
  }
}

}  // namespace
}  // namespace resist
