#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <map>

#include "export/sample_model.h"
#include "resist/export/parameter_values.h"
#include "support/input_error.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

using NamedValues = std::map<std::string, std::vector<float>>;

// A checkpoint of random parameters.
struct TrainedSample {
  explicit TrainedSample(const NetworkSpec& trained) : spec(trained), layout(make_layout(spec)) {
    NetworkSpec whole = spec;
    whole.partition_sections.clear();
    statistics = sample_statistics(make_layout(whole));
    std::uint64_t seed = 1;
    const auto draw = [&](const std::vector<Parameter>& group) {
      for (const Parameter& parameter : group) {
        values[parameter.name] = random_values(parameter.size, seed++);
      }
    };
    draw(layout.shared);
    for (const BlockLayout& block : layout.blocks) {
      draw(block.parameters);
    }
  }

  Checkpoint checkpoint() const {
    CheckpointState state;
    state.round = 1;
    state.workers = 2;
    state.config = {{"seed", 1}};
    CheckpointWriter writer(folder.path(), state);
    write_part(writer, "shared", {&layout.shared});
    std::vector<const std::vector<Parameter>*> blocks;
    for (const BlockLayout& block : layout.blocks) {
      blocks.push_back(&block.parameters);
    }
    if (!blocks.empty()) {
      write_part(writer, "blocks", blocks);
    }
    writer.commit();
    return open_checkpoint(folder.path(), "last");
  }

  DeployedModel assemble() const { return assemble_model(checkpoint(), spec, sample_info(spec), scales, statistics); }

  TemporaryFolder folder;
  NetworkSpec spec;
  Layout layout;
  std::vector<double> scales;
  NormStatistics statistics;
  NamedValues values;

 private:
  void write_part(CheckpointWriter& writer, const std::string& name,
                  const std::vector<const std::vector<Parameter>*>& groups) const {
    std::vector<TensorSpec> tensors;
    for (const auto* group : groups) {
      for (const Parameter& parameter : *group) {
        tensors.push_back({parameter.name, parameter.shape});
      }
    }
    SafetensorsWriter& part = writer.begin_part(name, tensors);
    for (const TensorSpec& tensor : tensors) {
      part.append(values.at(tensor.name));
    }
    writer.finish_part();
  }
};

NetworkSpec dealt(NetworkSpec spec) {
  spec.partition_sections = {2, 3};
  return spec;
}

// The parameters in `factors` come out multiplied, all others as they were.
void expect_scaled(const DeployedModel& model, const NamedValues& trained,
                   const std::map<std::string, float>& factors) {
  std::size_t met = 0;
  for (const Parameter& parameter : model.layout.shared) {
    const auto found = factors.find(parameter.name);
    const float factor = found == factors.end() ? 1.0F : found->second;
    met += found == factors.end() ? 0 : 1;
    std::vector<float> expected = trained.at(parameter.name);
    for (float& value : expected) {
      value *= factor;
    }
    const auto values = values_of(model, parameter);
    EXPECT_EQ(std::vector<float>(values.begin(), values.end()), expected) << parameter.name;
  }
  EXPECT_EQ(met, factors.size());
  EXPECT_EQ(model.layout.shared.size(), trained.size());
}

// What takes the scale of a dealt block's branch, without the block's name.
std::vector<std::string> scaled_names(const NetworkSpec& spec) {
  if (spec.block == BlockType::preact) {
    return {spec.bottleneck ? "conv3.weight" : "conv2.weight"};
  }
  return spec.bottleneck ? std::vector<std::string>{"bn3.weight", "bn3.bias"}
                         : std::vector<std::string>{"bn2.weight", "bn2.bias"};
}

TEST(AssembleModel, FoldsEachDecksScaleIntoItsBlocks) {
  for (const NetworkSpec& kind : every_kind()) {
    SCOPED_TRACE(kind_of(kind));
    TrainedSample sample(dealt(kind));
    sample.scales = {0.25, 0.5};
    const DeployedModel model = sample.assemble();
    std::map<std::string, float> factors;
    for (const std::string& name : scaled_names(kind)) {
      factors["layer2.1." + name] = 0.25F;
      factors["layer3.1." + name] = 0.5F;
      factors["layer3.2." + name] = 0.5F;
    }
    expect_scaled(model, sample.values, factors);
    EXPECT_EQ(model.scales, sample.scales);
    EXPECT_EQ(model.scaled_sections, (std::vector<int>{2, 3}));
    EXPECT_TRUE(model.layout.blocks.empty());
    EXPECT_EQ(model.statistics.size(), sample.statistics.size());
  }
}

TEST(AssembleModel, FoldsIntoFirstBlocksWhereTheyAreDealt) {
  for (const NetworkSpec& kind : every_kind()) {
    SCOPED_TRACE(kind_of(kind));
    NetworkSpec spec = dealt(kind);
    spec.partition_sections = {2};
    spec.partition_first_blocks = true;
    TrainedSample sample(spec);
    sample.scales = {0.5};
    std::map<std::string, float> factors;
    for (const std::string& name : scaled_names(kind)) {
      factors["layer2.0." + name] = 0.5F;
      factors["layer2.1." + name] = 0.5F;
    }
    expect_scaled(sample.assemble(), sample.values, factors);
  }
}

TEST(AssembleModel, TakesANetworkOfWhichNothingIsDealt) {
  const TrainedSample sample(every_kind().front());
  expect_scaled(sample.assemble(), sample.values, {});
}

TEST(AssembleModel, ForgetsWhatOnlyTrainingNeeds) {
  NetworkSpec spec = dealt(every_kind().front());
  spec.bf16 = true;
  spec.zero_init = true;
  TrainedSample sample(spec);
  sample.scales = {1, 1};
  const DeployedModel model = sample.assemble();
  EXPECT_FALSE(model.spec.bf16);
  EXPECT_FALSE(model.spec.zero_init);
  EXPECT_TRUE(model.spec.partition_sections.empty());
}

TEST(AssembleModel, LeavesNamesOutThatDoNotFitTheNetwork) {
  TrainedSample sample(every_kind().front());
  DatasetInfo info = sample_info(sample.spec);
  info.classes = 4;
  info.class_names.pop_back();
  const DeployedModel model = assemble_model(sample.checkpoint(), sample.spec, info, {}, sample.statistics);
  EXPECT_EQ(model.info.classes, 5);
  EXPECT_TRUE(model.info.class_names.empty());
}

TEST(AssembleModel, RefusesWhatDoesNotFit) {
  const NetworkSpec spec = dealt(every_kind().front());
  const auto refusal = [&](const std::function<void(TrainedSample&)>& damage) {
    TrainedSample sample(spec);
    sample.scales = {0.5, 0.5};
    damage(sample);
    return input_error([&] { sample.assemble(); });
  };
  const std::vector<std::function<void(TrainedSample&)>> wrong = {
      [](TrainedSample& sample) { sample.scales = {0.5}; },
      [](TrainedSample& sample) { sample.scales[1] = std::numeric_limits<double>::infinity(); },
      [](TrainedSample& sample) { sample.statistics.erase("layer3.2.bn2"); },
      [](TrainedSample& sample) { sample.statistics["layer3.2.bn2"].mean.pop_back(); },
      [](TrainedSample& sample) { sample.statistics["bn9"]; }};
  for (const auto& damage : wrong) {
    EXPECT_TRUE(contains(refusal(damage), "of another network"));
  }
  EXPECT_TRUE(contains(
      refusal([](TrainedSample& sample) { sample.values["fc.bias"][0] = std::numeric_limits<float>::quiet_NaN(); }),
      "fc.bias"));
  EXPECT_TRUE(
      contains(refusal([](TrainedSample& sample) { sample.statistics["layer1.0.bn1"].variance[0] = -1; }), "below 0"));
}

TEST(AssembleModel, RefusesAnotherNetworksCheckpointAndAnotherDataSet) {
  const TrainedSample sample(every_kind().front());
  NetworkSpec other = sample.spec;
  other.width = 8;
  EXPECT_TRUE(contains(input_error([&] {
                         assemble_model(sample.checkpoint(), other, sample_info(other), {},
                                        sample_statistics(make_layout(other)));
                       }),
                       "bytes"));
  DatasetInfo info = sample_info(sample.spec);
  info.height = 32;
  EXPECT_TRUE(contains(
      input_error([&] { assemble_model(sample.checkpoint(), sample.spec, info, {}, sample.statistics); }), "3x32x38"));
}

}  // namespace
}  // namespace resist
