#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include <cstring>
#include <map>

#include "export/sample_model.h"
#include "resist/core/file.h"
#include "resist/export/model_metadata.h"
#include "resist/export/parameter_values.h"
#include "support/input_error.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

class OnnxModelTest : public testing::Test {
 protected:
  onnx::ModelProto written(const DeployedModel& model) const {
    write_onnx_model(model, path_);
    onnx::ModelProto proto;
    EXPECT_TRUE(proto.ParseFromString(read_file(path_)));
    return proto;
  }

  const TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "model.onnx";
};

std::vector<std::string> nodes_of(const onnx::GraphProto& graph) {
  std::vector<std::string> nodes;
  for (const onnx::NodeProto& node : graph.node()) {
    nodes.push_back(fmt::format("{} = {}({})", node.output(0), node.op_type(), fmt::join(node.input(), ", ")));
  }
  return nodes;
}

std::vector<std::int64_t> numbers(const onnx::NodeProto& node, const std::string& name) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == name) {
      return {attribute.ints().begin(), attribute.ints().end()};
    }
  }
  return {};
}

const onnx::NodeProto& node_of(const onnx::GraphProto& graph, const std::string& name) {
  for (const onnx::NodeProto& node : graph.node()) {
    if (node.name() == name) {
      return node;
    }
  }
  throw std::runtime_error("no node " + name);
}

// The sizes of a value, batch left out.
std::vector<std::int64_t> sizes_of(const onnx::ValueInfoProto& value) {
  std::vector<std::int64_t> sizes;
  for (const auto& dimension : value.type().tensor_type().shape().dim()) {
    sizes.push_back(dimension.dim_value());
  }
  EXPECT_EQ(value.type().tensor_type().shape().dim(0).dim_param(), "batch");
  sizes.erase(sizes.begin());
  return sizes;
}

TEST_F(OnnxModelTest, PassesTheLibrarysCheckAndHasTheNetworksSizes) {
  for (const NetworkSpec& spec : every_kind()) {
    SCOPED_TRACE(kind_of(spec));
    onnx::ModelProto proto = written(sample_model(spec));
    EXPECT_NO_THROW(onnx::checker::check_model(proto));
    // With its own checks on, it also compares what it infers for "logits" with what the file says.
    EXPECT_NO_THROW(onnx::shape_inference::InferShapes(proto, onnx::OpSchemaRegistry::Instance(), {true, 1, false}));
    std::map<std::string, std::vector<std::int64_t>> sizes;
    for (const onnx::ValueInfoProto& value : proto.graph().value_info()) {
      sizes[value.name()] = sizes_of(value);
    }
    for (int section = 1; section <= 3; ++section) {
      EXPECT_EQ(sizes[fmt::format("layer{}.0.add", section)],
                (std::vector<std::int64_t>{spec.section_channels(section), spec.section_height(section),
                                           spec.section_image_width(section)}));
    }
    EXPECT_EQ(sizes_of(proto.graph().input(0)), (std::vector<std::int64_t>{3, 29, 38}));
    EXPECT_EQ(sizes_of(proto.graph().output(0)), (std::vector<std::int64_t>{5}));
  }
}

TEST_F(OnnxModelTest, HoldsEveryValue) {
  for (const NetworkSpec& spec : {every_kind().front(), every_kind().back()}) {
    const DeployedModel model = sample_model(spec);
    const onnx::ModelProto proto = written(model);
    std::map<std::string, const onnx::TensorProto*> tensors;
    for (const onnx::TensorProto& tensor : proto.graph().initializer()) {
      EXPECT_TRUE(tensors.emplace(tensor.name(), &tensor).second) << tensor.name();
    }
    EXPECT_EQ(tensors.size(), model.layout.shared.size() + 2 * model.statistics.size());
    const auto expect_same = [&](const std::string& name, std::span<const float> values) {
      ASSERT_TRUE(tensors.contains(name)) << name;
      const std::string& data = tensors[name]->raw_data();
      ASSERT_EQ(data.size(), values.size_bytes()) << name;
      EXPECT_EQ(std::memcmp(data.data(), values.data(), data.size()), 0) << name;
    };
    for (const Parameter& parameter : model.layout.shared) {
      expect_same(parameter.name, values_of(model, parameter));
    }
    for (const auto& [norm, moments] : model.statistics) {
      expect_same(norm + ".running_mean", moments.mean);
      expect_same(norm + ".running_var", moments.variance);
    }
  }
}

std::string norm_node(const std::string& name, const std::string& input) {
  return fmt::format("{0} = BatchNormalization({1}, {0}.weight, {0}.bias, {0}.running_mean, {0}.running_var)", name,
                     input);
}

TEST_F(OnnxModelTest, IsThePreActivationNetwork) {
  NetworkSpec spec = every_kind().front();
  spec.depths = {1, 1};
  EXPECT_EQ(
      nodes_of(written(sample_model(spec)).graph()),
      (std::vector<std::string>{
          "conv1 = Conv(images, conv1.weight)", norm_node("layer1.0.bn1", "conv1"),
          "layer1.0.relu1 = Relu(layer1.0.bn1)", "layer1.0.conv1 = Conv(layer1.0.relu1, layer1.0.conv1.weight)",
          norm_node("layer1.0.bn2", "layer1.0.conv1"), "layer1.0.relu2 = Relu(layer1.0.bn2)",
          "layer1.0.conv2 = Conv(layer1.0.relu2, layer1.0.conv2.weight)", "layer1.0.add = Add(layer1.0.conv2, conv1)",
          norm_node("layer2.0.bn1", "layer1.0.add"), "layer2.0.relu1 = Relu(layer2.0.bn1)",
          "layer2.0.downsample.0 = Conv(layer2.0.relu1, layer2.0.downsample.0.weight)",
          "layer2.0.conv1 = Conv(layer2.0.relu1, layer2.0.conv1.weight)", norm_node("layer2.0.bn2", "layer2.0.conv1"),
          "layer2.0.relu2 = Relu(layer2.0.bn2)", "layer2.0.conv2 = Conv(layer2.0.relu2, layer2.0.conv2.weight)",
          "layer2.0.add = Add(layer2.0.conv2, layer2.0.downsample.0)", "avgpool = GlobalAveragePool(layer2.0.add)",
          "flatten = Flatten(avgpool)", "logits = Gemm(flatten, fc.weight, fc.bias)"}));
}

TEST_F(OnnxModelTest, IsThePostActivationNetwork) {
  NetworkSpec spec = every_kind().back();
  spec.depths = {1};
  EXPECT_EQ(nodes_of(written(sample_model(spec)).graph()),
            (std::vector<std::string>{"conv1 = Conv(images, conv1.weight)",
                                      norm_node("bn1", "conv1"),
                                      "relu = Relu(bn1)",
                                      "maxpool = MaxPool(relu)",
                                      "layer1.0.downsample.0 = Conv(maxpool, layer1.0.downsample.0.weight)",
                                      norm_node("layer1.0.downsample.1", "layer1.0.downsample.0"),
                                      "layer1.0.conv1 = Conv(maxpool, layer1.0.conv1.weight)",
                                      norm_node("layer1.0.bn1", "layer1.0.conv1"),
                                      "layer1.0.relu1 = Relu(layer1.0.bn1)",
                                      "layer1.0.conv2 = Conv(layer1.0.relu1, layer1.0.conv2.weight)",
                                      norm_node("layer1.0.bn2", "layer1.0.conv2"),
                                      "layer1.0.relu2 = Relu(layer1.0.bn2)",
                                      "layer1.0.conv3 = Conv(layer1.0.relu2, layer1.0.conv3.weight)",
                                      norm_node("layer1.0.bn3", "layer1.0.conv3"),
                                      "layer1.0.add = Add(layer1.0.bn3, layer1.0.downsample.1)",
                                      "layer1.0.relu = Relu(layer1.0.add)",
                                      norm_node("norm", "layer1.0.relu"),
                                      "norm.relu = Relu(norm)",
                                      "avgpool = GlobalAveragePool(norm.relu)",
                                      "flatten = Flatten(avgpool)",
                                      "logits = Gemm(flatten, fc.weight, fc.bias)"}));
}

TEST_F(OnnxModelTest, StridesAndPadsAreTheNetworks) {
  const onnx::ModelProto proto = written(sample_model(every_kind().back()));
  const auto expect_window = [&](const std::string& name, std::int64_t kernel, std::int64_t stride) {
    const onnx::NodeProto& node = node_of(proto.graph(), name);
    EXPECT_EQ(numbers(node, "kernel_shape"), std::vector<std::int64_t>(2, kernel)) << name;
    EXPECT_EQ(numbers(node, "strides"), std::vector<std::int64_t>(2, stride)) << name;
    EXPECT_EQ(numbers(node, "pads"), std::vector<std::int64_t>(4, kernel / 2)) << name;
  };
  expect_window("conv1", 7, 2);
  expect_window("maxpool", 3, 2);
  expect_window("layer1.0.conv2", 3, 1);
  expect_window("layer2.0.conv1", 1, 1);
  expect_window("layer2.0.conv2", 3, 2);
  expect_window("layer2.0.conv3", 1, 1);
  expect_window("layer2.0.downsample.0", 1, 2);
  expect_window("layer2.1.conv2", 3, 1);
}

TEST_F(OnnxModelTest, CarriesTheMetadata) {
  const DeployedModel model = sample_model(every_kind().front());
  const onnx::ModelProto proto = written(model);
  std::map<std::string, std::string> metadata;
  for (const onnx::StringStringEntryProto& entry : proto.metadata_props()) {
    metadata[entry.key()] = entry.value();
  }
  EXPECT_EQ(metadata, format_model_metadata(model));
  EXPECT_EQ(proto.ir_version(), 7);
  EXPECT_EQ(proto.opset_import(0).version(), 13);
}

TEST_F(OnnxModelTest, RefusesWhatTheFormatHasNoRoomFor) {
  DeployedModel model = sample_model(every_kind().front());
  model.layout.shared_size = 500'000'001;
  EXPECT_TRUE(contains(input_error([&] { write_onnx_model(model, path_); }), "2000000004 bytes"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace resist
