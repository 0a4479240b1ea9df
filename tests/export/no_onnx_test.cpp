#include <gtest/gtest.h>

#include "export/sample_model.h"
#include "support/input_error.h"

namespace resist {
namespace {

TEST(OnnxModel, WithoutTheLibrarySaysHowToGetIt) {
  const std::string message =
      input_error([] { write_onnx_model(sample_model(every_kind().front()), "/none/model.onnx"); });
  EXPECT_TRUE(contains(message, "RESIST_WITH_ONNX=ON"));
  EXPECT_TRUE(contains(message, "/none/model.onnx"));
}

}  // namespace
}  // namespace resist
