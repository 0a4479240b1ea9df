#include "resist/config/model_presets.h"

#include <gtest/gtest.h>

#include "support/input_error.h"

namespace resist {
namespace {

TEST(ModelPresets, AreThePapersNetworks) {
  const auto& model = model_preset("preact-resnet101");
  EXPECT_EQ(model.block, BlockType::preact);
  EXPECT_EQ(model.depths, (std::vector<int>{3, 4, 23, 3}));
  EXPECT_EQ(model.width, 64);
  EXPECT_EQ(model_preset("preact-resnet18").depths, (std::vector<int>{2, 2, 2, 2}));
  EXPECT_EQ(model_preset("preact-resnet34").depths, (std::vector<int>{3, 4, 6, 3}));
  EXPECT_EQ(model_preset("preact-resnet152").depths, (std::vector<int>{3, 4, 36, 3}));
  EXPECT_EQ(model_preset("postact-resnet200").depths, (std::vector<int>{3, 4, 50, 3}));
  EXPECT_EQ(model_preset("postact-resnet200").block, BlockType::postact);
  EXPECT_EQ(model_preset("postact-small").depths, (std::vector<int>{1, 2, 12, 1}));
  EXPECT_EQ(model_preset("preact-small").width, 8);
}

TEST(ModelPresets, BottlenecksAreForLargePictures) {
  const auto& model = model_preset("preact-bottleneck152");
  EXPECT_EQ(model.depths, (std::vector<int>{3, 8, 36, 3}));
  EXPECT_TRUE(model.bottleneck);
  EXPECT_EQ(model.stem, Stem::conv7);
  EXPECT_TRUE(model.final_norm);
  EXPECT_EQ(model_preset("preact-bottleneck200").depths, (std::vector<int>{3, 24, 36, 3}));
}

TEST(ModelPresets, AnUnknownNameGivesTheNearest) {
  EXPECT_EQ(input_error([] { model_preset("preact-resnet102"); }),
            "unknown model 'preact-resnet102'; did you mean 'preact-resnet101'?");
}

TEST(ModelPresets, OptionsOverrideDepthsAndWidth) {
  ModelOptions options;
  options.model = "preact-resnet18";
  EXPECT_EQ(resolve_model(options).width, 64);
  options.depths = {1, 1, 5};
  options.width = 8;
  EXPECT_EQ(resolve_model(options).depths, options.depths);
  EXPECT_EQ(resolve_model(options).width, 8);
  options.model = "preact-bottleneck50";
  options.stem = Stem::conv3;
  options.final_norm = false;
  EXPECT_EQ(resolve_model(options).stem, Stem::conv3);
  EXPECT_FALSE(resolve_model(options).final_norm);
}

}  // namespace
}  // namespace resist
