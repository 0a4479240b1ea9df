#include "resist/model/operations.h"

#include <gtest/gtest.h>

#include <numeric>

namespace resist {
namespace {

std::int64_t whole_network(const NetworkSpec& spec) {
  const Layout layout = make_layout(spec);
  std::vector<int> all(layout.blocks.size());
  std::iota(all.begin(), all.end(), 0);
  return forward_operations(spec, layout, all);
}

// The published count of ResNet-50 at 224x224, convolutions and head: 4 089 184 256 products. Its shapes are those of
// preact-bottleneck50.
TEST(Operations, OfResNet50ArePublished) {
  const NetworkSpec spec{.bottleneck = true,
                         .stem = Stem::conv7,
                         .final_norm = true,
                         .depths = {3, 4, 6, 3},
                         .classes = 1000,
                         .height = 224,
                         .image_width = 224};
  EXPECT_EQ(whole_network(spec), 2 * 4'089'184'256);
}

// By hand: a stem, one block in each of two sections, a head.
TEST(Operations, OfASmallNetworkAreCountedByHand) {
  const NetworkSpec spec{.depths = {1, 2},
                         .width = 2,
                         .classes = 5,
                         .channels = 1,
                         .height = 4,
                         .image_width = 6,
                         .partition_sections = {2}};
  const std::int64_t stem = 24 * 9 * 1 * 2;
  const std::int64_t first = 2 * 24 * 9 * 2 * 2;
  const std::int64_t halving = 6 * 9 * 2 * 4 + 6 * 9 * 4 * 4 + 6 * 2 * 4;  // and its projection
  const std::int64_t dealt = 2 * 6 * 9 * 4 * 4;
  const std::int64_t head = 4 * 5;
  const Layout layout = make_layout(spec);
  EXPECT_EQ(forward_operations(spec, layout, {}), 2 * (stem + first + halving + head));
  EXPECT_EQ(forward_operations(spec, layout, {0}), 2 * (stem + first + halving + dealt + head));
}

TEST(Operations, EachDealtBlockAddsItsOwn) {
  const NetworkSpec spec{.depths = {1, 1, 5, 1}};
  const Layout layout = make_layout(spec);
  const std::int64_t none = forward_operations(spec, layout, {});
  const std::int64_t one = forward_operations(spec, layout, {2}) - none;
  EXPECT_EQ(forward_operations(spec, layout, {0, 3}) - none, 2 * one);
}

}  // namespace
}  // namespace resist
