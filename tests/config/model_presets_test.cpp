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
}

}  // namespace
}  // namespace resist
