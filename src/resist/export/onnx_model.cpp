#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <span>
#include <string>
#include <vector>

#include "resist/config/version.h"
#include "resist/core/error.h"
#include "resist/core/file.h"
#include "resist/export/deployed_model.h"
#include "resist/export/model_metadata.h"
#include "resist/export/parameter_values.h"
#include "resist/model/block.h"

namespace resist {
namespace {

constexpr std::int64_t kIrVersion = 7;  // the one that opset 13 came with
constexpr std::int64_t kOpset = 13;
constexpr float kEpsilon = 1e-5F;  // batch_norm's
// Protobuf ends at 2^31 bytes; what is not values takes far less than the difference.
constexpr std::int64_t kMostValueBytes = 2'000'000'000;

void add_list(onnx::NodeProto& node, const char* name, const std::vector<std::int64_t>& values) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) {
    attribute.add_ints(value);
  }
}

void add_number(onnx::NodeProto& node, const char* name, std::int64_t value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

void add_fraction(onnx::NodeProto& node, const char* name, float value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::FLOAT);
  attribute.set_f(value);
}

// A square window, padded by half of it on every side.
void add_window(onnx::NodeProto& node, int size, int stride) {
  const int pad = size / 2;
  add_list(node, "kernel_shape", {size, size});
  add_list(node, "strides", {stride, stride});
  add_list(node, "pads", {pad, pad, pad, pad});
}

// float32 [batch, sizes...], batch free.
void describe(onnx::ValueInfoProto& value, const std::string& name, const std::vector<std::int64_t>& sizes) {
  value.set_name(name);
  onnx::TypeProto::Tensor& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx::TensorProto::FLOAT);
  tensor.mutable_shape()->add_dim()->set_dim_param("batch");
  for (const std::int64_t size : sizes) {
    tensor.mutable_shape()->add_dim()->set_dim_value(size);
  }
}

// The network as nodes, in the steps of Network::forward (model/network.cpp). Every node is named as its parameters are
// and its output has its name; functions take and return names of values.
class GraphBuilder {
 public:
  GraphBuilder(const NetworkSpec& spec, onnx::GraphProto& graph) : spec_(spec), graph_(graph) {}

  void build() {
    describe(*graph_.add_input(), "images", {spec_.channels, spec_.height, spec_.image_width});
    std::string x = stem("images");
    for (int section = 1; section <= static_cast<int>(spec_.depths.size()); ++section) {
      for (int index = 0; index < spec_.depths[static_cast<std::size_t>(section - 1)]; ++index) {
        x = block(section, index, x);
      }
    }
    head(x);
    describe(*graph_.add_output(), "logits", {spec_.classes});
  }

 private:
  using Name = std::string;

  bool preact() const { return spec_.block == BlockType::preact; }

  onnx::NodeProto& add(const char* operation, const Name& name, const std::vector<Name>& inputs) {
    onnx::NodeProto& node = *graph_.add_node();
    node.set_op_type(operation);
    node.set_name(name);
    for (const Name& input : inputs) {
      node.add_input(input);
    }
    node.add_output(name);
    return node;
  }

  Name plain(const char* operation, const Name& name, const std::vector<Name>& inputs) {
    return add(operation, name, inputs).name();
  }
  Name convolution(const Name& name, const Name& x, int kernel, int stride) {
    onnx::NodeProto& node = add("Conv", name, {x, name + ".weight"});
    add_window(node, kernel, stride);
    return name;
  }
  Name norm(const Name& name, const Name& x) {
    onnx::NodeProto& node = add("BatchNormalization", name,
                                {x, name + ".weight", name + ".bias", name + ".running_mean", name + ".running_var"});
    add_fraction(node, "epsilon", kEpsilon);
    return name;
  }

  Name stem(const Name& images) {
    const bool large = spec_.stem == Stem::conv7;
    Name x = convolution("conv1", images, large ? 7 : 3, large ? 2 : 1);
    if (!preact()) {
      x = plain("Relu", "relu", {norm("bn1", x)});
    }
    if (large) {
      onnx::NodeProto& pool = add("MaxPool", "maxpool", {x});
      add_window(pool, 3, 2);
      x = pool.name();
    }
    return x;
  }

  // `x`: the block's input, in a pre-activation block normalised already.
  Name branch(const std::string& prefix, const BlockShape& shape, Name x) {
    const auto convolutions = shape.convolutions();
    const std::size_t count = convolutions.size();
    for (std::size_t i = 0; i < count; ++i) {
      const auto named = [&](const char* kind) { return fmt::format("{}{}{}", prefix, kind, i + 1); };
      if (preact() && i > 0) {
        x = plain("Relu", named("relu"), {norm(named("bn"), x)});
      }
      x = convolution(named("conv"), x, convolutions[i].kernel, convolutions[i].stride);
      if (!preact()) {
        x = norm(named("bn"), x);
        x = i + 1 < count ? plain("Relu", named("relu"), {x}) : x;
      }
    }
    return x;
  }

  Name block(int section, int index, const Name& x) {
    const BlockShape shape = block_shape(spec_, section, index);
    const std::string prefix = fmt::format("layer{}.{}.", section, index);
    const Name input = preact() ? plain("Relu", prefix + "relu1", {norm(prefix + "bn1", x)}) : x;
    Name shortcut = x;
    if (shape.projects) {
      shortcut = convolution(prefix + "downsample.0", input, 1, shape.geometry.stride);
      shortcut = preact() ? shortcut : norm(prefix + "downsample.1", shortcut);
    }
    const Name sum = plain("Add", prefix + "add", {branch(prefix, shape, input), shortcut});
    return preact() ? sum : plain("Relu", prefix + "relu", {sum});
  }

  void head(Name x) {
    if (spec_.final_norm) {
      x = plain("Relu", "norm.relu", {norm("norm", x)});
    }
    const Name means = plain("GlobalAveragePool", "avgpool", {x});
    onnx::NodeProto& flatten = add("Flatten", "flatten", {means});
    add_number(flatten, "axis", 1);
    onnx::NodeProto& linear = add("Gemm", "fc", {flatten.name(), "fc.weight", "fc.bias"});
    add_number(linear, "transB", 1);
    linear.set_output(0, "logits");
  }

  const NetworkSpec& spec_;
  onnx::GraphProto& graph_;
};

void add_tensor(onnx::GraphProto& graph, const std::string& name, const std::vector<std::int64_t>& shape,
                std::span<const float> values) {
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t size : shape) {
    tensor.add_dims(size);
  }
  tensor.set_raw_data(values.data(), values.size_bytes());
}

void add_tensors(onnx::GraphProto& graph, const DeployedModel& model) {
  for (const Parameter& parameter : model.layout.shared) {
    add_tensor(graph, parameter.name, parameter.shape, values_of(model, parameter));
  }
  for (const auto& [norm, channels] : norm_channels(model.layout)) {
    add_tensor(graph, norm + ".running_mean", {channels}, model.statistics.at(norm).mean);
    add_tensor(graph, norm + ".running_var", {channels}, model.statistics.at(norm).variance);
  }
}

}  // namespace

void write_onnx_model(const DeployedModel& model, const std::filesystem::path& file) {
  const std::int64_t bytes = model.layout.shared_size * static_cast<std::int64_t>(sizeof(float));
  if (bytes > kMostValueBytes) {
    throw InputError(
        fmt::format("can't write '{}': its values take {} bytes and an ONNX file has room for {}; export "
                    "as safetensors",
                    file.string(), bytes, kMostValueBytes));
  }
  onnx::ModelProto proto;
  proto.set_ir_version(kIrVersion);
  proto.add_opset_import()->set_version(kOpset);
  proto.set_producer_name("resist");
  proto.set_producer_version(std::string(version()));
  proto.set_doc_string(
      "Logits of images. Each channel: scaled to [0, 1], less its mean, divided by its standard deviation (metadata: "
      "input).");
  for (const auto& [key, value] : format_model_metadata(model)) {
    onnx::StringStringEntryProto& entry = *proto.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  onnx::GraphProto& graph = *proto.mutable_graph();
  graph.set_name("resist");
  GraphBuilder(model.spec, graph).build();
  add_tensors(graph, model);
  std::string text;
  if (!proto.SerializeToString(&text)) {
    throw Error(
        fmt::format("can't write '{}': its {} bytes of values do not fit into an ONNX file", file.string(), bytes));
  }
  write_file_atomically(file, text);
}

}  // namespace resist
