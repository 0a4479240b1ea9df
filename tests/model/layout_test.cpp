#include "resist/model/layout.h"

#include <gtest/gtest.h>

#include <set>

#include "resist/core/error.h"

namespace resist {
namespace {

NetworkSpec paper(std::vector<int> depths) {
  return {.depths = std::move(depths), .width = 64, .classes = 100};
}

// The paper's network (preact-resnet101, 100 classes): counts that hold to the digit.
TEST(Layout, HasThePapersParameterCounts) {
  const Layout layout = make_layout(paper({3, 4, 23, 3}));
  EXPECT_EQ(layout.total_size(), 41'396'900);
  EXPECT_EQ(layout.partitioned_size(), 25'974'784);
  EXPECT_EQ(layout.shared_size, 15'422'116);
  ASSERT_EQ(layout.decks.size(), 1U);
  EXPECT_EQ(layout.decks[0].count, 22);
  EXPECT_EQ(layout.decks[0].slot_size, 1'180'672);
}

// Pre-activation bottleneck networks for ImageNet: as others count them.
TEST(Layout, HasTheBottlenecksParameterCounts) {
  const auto total = [](std::vector<int> depths) {
    return make_layout({.bottleneck = true,
                        .stem = Stem::conv7,
                        .final_norm = true,
                        .depths = std::move(depths),
                        .classes = 1000,
                        .height = 224,
                        .image_width = 224})
        .total_size();
  };
  EXPECT_EQ(total({3, 4, 6, 3}), 25'549'352);
  EXPECT_EQ(total({3, 4, 23, 3}), 44'541'480);
  EXPECT_EQ(total({3, 8, 36, 3}), 60'185'128);
  EXPECT_EQ(total({3, 24, 36, 3}), 64'666'152);
}

// torchvision's resnet50 is the post-activation one.
TEST(Layout, APostActivationBottleneckNetworkIsTorchvisions) {
  EXPECT_EQ(make_layout({.block = BlockType::postact,
                         .bottleneck = true,
                         .stem = Stem::conv7,
                         .depths = {3, 4, 6, 3},
                         .classes = 1000})
                .total_size(),
            25'557'032);
}

TEST(Layout, TheDeeperNetworksDifferByBlocksOnly) {
  const auto shared = make_layout(paper({3, 4, 23, 3})).shared_size;
  for (const int depth : {36, 50}) {
    const Layout layout = make_layout(paper({3, 4, depth, 3}));
    EXPECT_EQ(layout.shared_size, shared);
    EXPECT_EQ(layout.partitioned_size(), (depth - 1) * 1'180'672);
  }
}

TEST(Layout, NumbersEveryParameterOnceAndLeavesNoHoles) {
  NetworkSpec spec = paper({2, 3, 4, 2});
  for (const auto& [block, bottleneck] : {std::pair(BlockType::preact, false), std::pair(BlockType::postact, false),
                                          std::pair(BlockType::preact, true), std::pair(BlockType::postact, true)}) {
    for (const bool first : {false, true}) {
      spec.block = block;
      spec.bottleneck = bottleneck;
      spec.final_norm = block == BlockType::preact && bottleneck;
      spec.partition_first_blocks = first;
      spec.partition_sections = {1, 3};
      const Layout layout = make_layout(spec);
      std::set<std::uint32_t> indices;
      std::set<std::string> names;
      const auto check_group = [&](const std::vector<Parameter>& parameters, std::int64_t size) {
        std::int64_t end = 0;
        for (const Parameter& parameter : parameters) {
          EXPECT_EQ(parameter.offset, end) << parameter.name;
          end += parameter.size;
          EXPECT_TRUE(indices.insert(parameter.global_index).second) << parameter.name;
          EXPECT_TRUE(names.insert(parameter.name).second) << parameter.name;
        }
        EXPECT_EQ(end, size);
      };
      check_group(layout.shared, layout.shared_size);
      for (const BlockLayout& dealt : layout.blocks) {
        check_group(dealt.parameters, dealt.size);
      }
      EXPECT_EQ(*indices.rbegin() + 1, indices.size());
      EXPECT_EQ(layout.blocks.size(), first ? 6U : 4U);
    }
  }
}

TEST(Layout, ADealtStridedBlockLeavesItsShortcutShared) {
  NetworkSpec spec = paper({1, 1, 2, 1});
  spec.partition_first_blocks = true;
  const Layout layout = make_layout(spec);
  ASSERT_EQ(layout.blocks.size(), 2U);
  std::set<std::string> dealt;
  for (const Parameter& parameter : layout.blocks[0].parameters) {
    dealt.insert(parameter.name);
  }
  EXPECT_EQ(dealt, (std::set<std::string>{"layer3.0.conv1.weight", "layer3.0.bn2.weight", "layer3.0.bn2.bias",
                                          "layer3.0.conv2.weight"}));
  EXPECT_EQ(layout.decks[0].slot_size, std::max(layout.blocks[0].size, layout.blocks[1].size));
}

TEST(Layout, RefusesWhatMakesNoNetwork) {
  EXPECT_THROW(make_layout(paper({})), InputError);
  EXPECT_THROW(make_layout(paper({1, 0, 1})), InputError);
  EXPECT_THROW(make_layout(paper({1, 1})), InputError);  // section 3 is to be dealt
  NetworkSpec twice = paper({1, 1, 2});
  twice.partition_sections = {3, 3};
  EXPECT_THROW(make_layout(twice), InputError);
  NetworkSpec no_width = paper({1, 1, 2});
  no_width.width = 0;
  EXPECT_THROW(make_layout(no_width), InputError);
}

TEST(NetworkSpec, HalvesTheFeatureMapUp) {
  NetworkSpec spec = paper({1, 1, 1, 1});
  EXPECT_EQ(spec.section_height(4), 4);
  spec.height = 28;
  EXPECT_EQ(spec.section_height(4), 4);
  EXPECT_EQ(spec.section_height(3), 7);
  EXPECT_EQ(spec.section_width(4), 512);
  EXPECT_EQ(spec.section_channels(4), 512);
  spec.stem = Stem::conv7;
  EXPECT_EQ(spec.section_height(1), 7);
  EXPECT_EQ(spec.section_height(4), 1);
  spec.height = 224;
  EXPECT_EQ(spec.section_height(1), 56);
  EXPECT_EQ(spec.section_height(4), 7);
  spec.bottleneck = true;
  EXPECT_EQ(spec.section_channels(4), 2048);
}

}  // namespace
}  // namespace resist
