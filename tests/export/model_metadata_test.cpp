#include "resist/export/model_metadata.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "export/sample_model.h"
#include "support/input_error.h"

namespace resist {
namespace {

using nlohmann::json;

TEST(ModelMetadata, ComesBack) {
  for (const NetworkSpec& spec : every_kind()) {
    SCOPED_TRACE(kind_of(spec));
    const DeployedModel model = sample_model(spec);
    const DeployedModel read = parse_model_metadata(format_model_metadata(model), "m");
    EXPECT_EQ(read.spec.block, spec.block);
    EXPECT_EQ(read.spec.bottleneck, spec.bottleneck);
    EXPECT_EQ(read.spec.stem, spec.stem);
    EXPECT_EQ(read.spec.final_norm, spec.final_norm);
    EXPECT_EQ(read.spec.depths, spec.depths);
    EXPECT_EQ(read.spec.width, spec.width);
    EXPECT_EQ(read.spec.classes, spec.classes);
    EXPECT_EQ(read.spec.channels, spec.channels);
    EXPECT_EQ(read.spec.height, spec.height);
    EXPECT_EQ(read.spec.image_width, spec.image_width);
    EXPECT_TRUE(read.spec.partition_sections.empty());
    EXPECT_EQ(read.info.name, model.info.name);
    EXPECT_EQ(read.info.class_names, model.info.class_names);
    EXPECT_EQ(read.info.mean, model.info.mean);
    EXPECT_EQ(read.info.stddev, model.info.stddev);
    EXPECT_EQ(read.info.own_sizes, model.info.own_sizes);
    EXPECT_EQ(read.scales, model.scales);
    EXPECT_EQ(read.scaled_sections, model.scaled_sections);
  }
}

TEST(ModelMetadata, ClassesWithoutNamesAreCounted) {
  DeployedModel model = sample_model(every_kind().front());
  model.info.class_names.clear();
  const auto metadata = format_model_metadata(model);
  EXPECT_EQ(metadata.at("classes"), "5");
  const DeployedModel read = parse_model_metadata(metadata, "m");
  EXPECT_EQ(read.info.classes, 5);
  EXPECT_TRUE(read.info.class_names.empty());
}

TEST(ModelMetadata, RefusesNamesThatAreNotText) {
  DeployedModel model = sample_model(every_kind().front());
  model.info.class_names[0] = "\xff";
  EXPECT_TRUE(contains(input_error([&] { format_model_metadata(model); }), "UTF-8"));
}

TEST(ModelMetadata, RefusesWhatIsMissing) {
  const auto metadata = format_model_metadata(sample_model(every_kind().front()));
  for (const auto& [key, text] : metadata) {
    auto without = metadata;
    without.erase(key);
    EXPECT_TRUE(contains(input_error([&] { parse_model_metadata(without, "a.safetensors"); }),
                         "'a.safetensors' is not a usable model: its metadata has no " + key));
  }
  for (const char* key : {"architecture", "input"}) {
    const json whole = json::parse(metadata.at(key));
    for (const auto& [field, value] : whole.items()) {
      json fields = whole;
      fields.erase(field);
      auto lacking = metadata;
      lacking[key] = fields.dump();
      EXPECT_TRUE(contains(input_error([&] { parse_model_metadata(lacking, "m"); }), field));
    }
  }
}

TEST(ModelMetadata, RefusesTextsThatAreNotWhatTheyShouldBe) {
  const auto metadata = format_model_metadata(sample_model(every_kind().front()));
  for (const auto& [key, text] : metadata) {
    for (const char* wrong : {"", "{", "[1", "null", "{\"a\":1,\"a\":2}", "\"\xff\"", "[[[[", "1e999", "-1", "\n"}) {
      auto damaged = metadata;
      damaged[key] = wrong;
      if (key == "data") {
        EXPECT_NO_THROW(parse_model_metadata(damaged, "m"));
      } else {
        EXPECT_FALSE(input_error([&] { parse_model_metadata(damaged, "m"); }).empty()) << key << " = " << wrong;
      }
    }
  }
}

// One field of one text replaced.
struct Lie {
  const char* key;
  const char* field;
  json value;
};

TEST(ModelMetadata, RefusesValuesOutOfBounds) {
  const auto metadata = format_model_metadata(sample_model(every_kind().front()));
  const std::vector<Lie> lies = {
      {"architecture", "block", "preactivation"},
      {"architecture", "block", 1},
      {"architecture", "bottleneck", 1},
      {"architecture", "bottleneck", "true"},
      {"architecture", "stem", "conv5"},
      {"architecture", "final_norm", nullptr},
      {"architecture", "depths", json::array()},
      {"architecture", "depths", {1, 2, 0}},
      {"architecture", "depths", {1, -2, 3}},
      {"architecture", "depths", {1, 2.5, 3}},
      {"architecture", "depths", {1, 2, 1'000'000'000}},
      {"architecture", "depths", {1, 2, 18446744073709551615ULL}},
      {"architecture", "depths", {1, 1, 1, 1, 1, 1, 1, 1, 1}},
      {"architecture", "depths", 3},
      {"architecture", "width", 0},
      {"architecture", "width", -4},
      {"architecture", "width", 4097},
      {"architecture", "width", 4.0},
      {"input", "channels", 0},
      {"input", "channels", 2},
      {"input", "channels", 1'000'000'000'000},
      {"input", "height", 0},
      {"input", "width", 4097},
      {"input", "mean", {0.1, 0.2}},
      {"input", "mean", {0.1, 0.2, "0.3"}},
      {"input", "mean", {0.1, 0.2, 1e300}},
      {"input", "stddev", {0.1, 0.2, 0}},
      {"input", "stddev", {0.1, 0.2, -0.3}},
      {"input", "stddev", {0.1, 0.2, 1e-300}},
      {"input", "stddev", nullptr},
      {"input", "resize", 1},
      {"folded_scales", "4", 0.5},
      {"folded_scales", "0", 0.5},
      {"folded_scales", "2x", 0.5},
      {"folded_scales", "\n", 0.5},
      {"folded_scales", "2", "0.5"},
  };
  for (const Lie& lie : lies) {
    json fields = json::parse(metadata.at(lie.key));
    fields[lie.field] = lie.value;
    auto lying = metadata;
    lying[lie.key] = fields.dump();
    const std::string message = input_error([&] { parse_model_metadata(lying, "m"); });
    const std::string place = lie.key == std::string("input") ? "its data set's" : std::string("metadata ") + lie.key;
    EXPECT_TRUE(contains(message, place)) << lie.field << " = " << lie.value;
  }
  for (const char* classes : {"1", "[]", "[\"one\"]", "[1, 2]", "[\"one\", 2]", "1000001", "2.5", "\"five\""}) {
    auto lying = metadata;
    lying["classes"] = classes;
    EXPECT_TRUE(contains(input_error([&] { parse_model_metadata(lying, "m"); }), "classes")) << classes;
  }
  for (const char* key : {"format", "version"}) {
    auto lying = metadata;
    lying[key] = "2";
    EXPECT_TRUE(contains(input_error([&] { parse_model_metadata(lying, "m"); }), std::string("its ") + key)) << key;
  }
}

}  // namespace
}  // namespace resist
