#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>

#include "export/sample_model.h"
#include "resist/checkpoint/safetensors.h"
#include "support/input_error.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

struct Tensor {
  TensorSpec spec;
  std::vector<float> values;
};

// A model's file in memory, to be changed and written again.
struct Content {
  std::map<std::string, std::string> metadata;
  std::vector<Tensor> tensors;

  explicit Content(const std::filesystem::path& file) {
    const SafetensorsReader reader(file);
    metadata = reader.metadata();
    for (const TensorSpec& spec : reader.tensors()) {
      std::int64_t size = 1;
      for (const std::int64_t extent : spec.shape) {
        size *= extent;
      }
      tensors.push_back({spec, std::vector<float>(static_cast<std::size_t>(size))});
      reader.read(spec.name, tensors.back().values);
    }
  }

  void write(const std::filesystem::path& file) const {
    std::vector<TensorSpec> specs;
    for (const Tensor& tensor : tensors) {
      specs.push_back(tensor.spec);
    }
    SafetensorsWriter writer(file, specs, metadata);
    for (const Tensor& tensor : tensors) {
      writer.append(tensor.values);
    }
    writer.finish();
  }

  Tensor& operator[](const std::string& name) {
    return *std::ranges::find(tensors, name, [](const Tensor& tensor) { return tensor.spec.name; });
  }
  void erase(const std::string& name) {
    std::erase_if(tensors, [&](const Tensor& tensor) { return tensor.spec.name == name; });
  }
};

class SafetensorsModelTest : public testing::Test {
 protected:
  // What reading says after `change` to the file of a small network.
  std::string refusal(const std::function<void(Content&)>& change) {
    write_safetensors_model(sample_model(every_kind().front()), path_);
    Content content(path_);
    change(content);
    content.write(path_);
    return input_error([&] { read_safetensors_model(path_); });
  }

  // The same after `from` is replaced in the architecture.
  std::string architecture_refusal(const std::string& from, const std::string& to) {
    return refusal([&](Content& content) {
      std::string& text = content.metadata["architecture"];
      ASSERT_NE(text.find(from), std::string::npos) << text;
      text.replace(text.find(from), from.size(), to);
    });
  }

  const TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "model.safetensors";
};

TEST_F(SafetensorsModelTest, EveryKindComesBack) {
  for (const NetworkSpec& spec : every_kind()) {
    SCOPED_TRACE(kind_of(spec));
    const DeployedModel model = sample_model(spec);
    write_safetensors_model(model, path_);
    const DeployedModel read = read_safetensors_model(path_);
    EXPECT_EQ(read.values, model.values);
    ASSERT_EQ(read.layout.shared.size(), model.layout.shared.size());
    for (std::size_t i = 0; i < read.layout.shared.size(); ++i) {
      EXPECT_EQ(read.layout.shared[i].name, model.layout.shared[i].name);
      EXPECT_EQ(read.layout.shared[i].offset, model.layout.shared[i].offset);
    }
    ASSERT_EQ(read.statistics.size(), model.statistics.size());
    for (const auto& [norm, moments] : model.statistics) {
      EXPECT_EQ(read.statistics.at(norm).mean, moments.mean) << norm;
      EXPECT_EQ(read.statistics.at(norm).variance, moments.variance) << norm;
    }
  }
}

TEST_F(SafetensorsModelTest, ReplacesAFileAndLeavesNothingBeside) {
  std::ofstream(path_) << "old";
  write_safetensors_model(sample_model(every_kind().front()), path_);
  EXPECT_NO_THROW(read_safetensors_model(path_));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
  EXPECT_THROW(write_safetensors_model(sample_model(every_kind().front()), folder_.path() / "none" / "m"), Error);
}

TEST_F(SafetensorsModelTest, HasTheNamesOfTorchvision) {
  write_safetensors_model(sample_model(every_kind().back()), path_);
  Content content(path_);
  for (const char* name : {"conv1.weight", "bn1.running_mean", "layer2.0.downsample.0.weight", "norm.running_var",
                           "layer2.0.downsample.1.running_var", "layer3.2.bn3.weight", "fc.bias"}) {
    EXPECT_EQ(std::ranges::count(content.tensors, name, [](const Tensor& tensor) { return tensor.spec.name; }), 1)
        << name;
  }
}

TEST_F(SafetensorsModelTest, RefusesOtherSafetensors) {
  EXPECT_TRUE(contains(refusal([](Content& content) { content.metadata.clear(); }), "its metadata has no format"));
  EXPECT_TRUE(contains(refusal([](Content& content) { content.tensors.clear(); }), "0 tensors, too few for 6 blocks"));
}

TEST_F(SafetensorsModelTest, RefusesAnArchitectureThatItsTensorsAreNotOf) {
  EXPECT_TRUE(contains(architecture_refusal("[1,2,3]", "[1,2,2]"), "no tensor \"layer3.2."));
  EXPECT_TRUE(contains(architecture_refusal("[1,2,3]", "[1,2,4]"), "layer3.3.conv1.weight is missing"));
  EXPECT_TRUE(contains(architecture_refusal("[1,2,3]", "[1,2]"), "a section from 1 to 2"));
  EXPECT_TRUE(contains(architecture_refusal("[1,2,3]", "[1,2,1000]"), "too few for 1003 blocks"));
  EXPECT_TRUE(contains(architecture_refusal("[1,2,3]", "[1,2,1000000000]"), "depths must be"));
  EXPECT_TRUE(contains(architecture_refusal("[1,2,3]", "[1,1,1,1,1,1,1,1]"), "layer4.0.conv1.weight is missing"));
  EXPECT_TRUE(contains(architecture_refusal("\"width\":4", "\"width\":4096"), "shape"));
  EXPECT_TRUE(contains(architecture_refusal("preact", "postact"), "bn1.weight is missing"));
  EXPECT_TRUE(contains(architecture_refusal("\"bottleneck\":false", "\"bottleneck\":true"), "shape"));
  EXPECT_TRUE(contains(architecture_refusal("conv3", "conv7"), "[4, 3, 7, 7]"));
  EXPECT_TRUE(contains(architecture_refusal("\"final_norm\":false", "\"final_norm\":true"), "norm.weight is missing"));
  EXPECT_TRUE(contains(architecture_refusal("\"width\"", "\"depths\":[1,2,3],\"width\""), "\"depths\" appears twice"));
  EXPECT_TRUE(contains(refusal([](Content& content) { content.metadata["classes"] = "6"; }), "fc.weight has shape"));
}

TEST_F(SafetensorsModelTest, RefusesTensorsThatAreMissingOrNotExpected) {
  EXPECT_TRUE(contains(refusal([](Content& content) { content.erase("fc.bias"); }), "fc.bias is missing"));
  EXPECT_TRUE(contains(refusal([](Content& content) { content.erase("layer1.0.bn2.running_var"); }),
                       "layer1.0.bn2.running_var is missing"));
  EXPECT_TRUE(contains(refusal([](Content& content) {
                         content.tensors.push_back({{"more\n", {1}}, {1.0F}});
                       }),
                       "no tensor \"more\\n\""));
  EXPECT_TRUE(contains(refusal([](Content& content) {
                         content["conv1.weight"].spec.shape = {3, 4, 3, 3};
                       }),
                       "conv1.weight has shape [3, 4, 3, 3], its architecture needs [4, 3, 3, 3]"));
  EXPECT_TRUE(contains(refusal([](Content& content) {
                         content["layer1.0.bn1.running_mean"].spec.shape = {2, 2};
                       }),
                       "shape [2, 2]"));
}

TEST_F(SafetensorsModelTest, RefusesValuesThatNoNetworkHas) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float value : {kInfinity, -kInfinity, std::nanf("")}) {
    EXPECT_TRUE(contains(refusal([&](Content& content) { content["layer2.1.conv2.weight"].values.back() = value; }),
                         "layer2.1.conv2.weight has values that are not finite"));
    EXPECT_TRUE(contains(refusal([&](Content& content) { content["layer1.0.bn1.running_mean"].values[0] = value; }),
                         "the mean of layer1.0.bn1 has values that are not finite"));
  }
  EXPECT_TRUE(contains(refusal([](Content& content) { content["layer1.0.bn1.running_var"].values[3] = -0.1F; }),
                       "the variance of layer1.0.bn1 has values below 0"));
}

TEST_F(SafetensorsModelTest, RefusesWhatIsNotThere) {
  EXPECT_TRUE(contains(input_error([&] { read_safetensors_model(path_); }), "model.safetensors"));
}

}  // namespace
}  // namespace resist
