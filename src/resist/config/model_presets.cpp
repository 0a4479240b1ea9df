#include "resist/config/model_presets.h"

#include <fmt/format.h>

#include "resist/config/enum_words.h"
#include "resist/config/nearest.h"
#include "resist/core/error.h"

namespace resist {
namespace {

std::vector<ModelPreset> make_presets() {
  std::vector<ModelPreset> presets;
  for (const BlockType block : {BlockType::preact, BlockType::postact}) {
    const std::string prefix(to_word(block));
    presets.push_back({prefix + "-small", block, {1, 2, 12, 1}, 8});
    presets.push_back({prefix + "-resnet18", block, {2, 2, 2, 2}, 64});
    presets.push_back({prefix + "-resnet34", block, {3, 4, 6, 3}, 64});
    presets.push_back({prefix + "-resnet101", block, {3, 4, 23, 3}, 64});
    presets.push_back({prefix + "-resnet152", block, {3, 4, 36, 3}, 64});
    presets.push_back({prefix + "-resnet200", block, {3, 4, 50, 3}, 64});
  }
  // A pre-activation network ends in a rectified sum of raw branches unless a norm follows; ImageNet's have it.
  const auto add_bottleneck = [&](const std::string& name, std::vector<int> depths) {
    presets.push_back({.name = "preact-" + name,
                       .block = BlockType::preact,
                       .depths = std::move(depths),
                       .width = 64,
                       .bottleneck = true,
                       .stem = Stem::conv7,
                       .final_norm = true});
  };
  add_bottleneck("bottleneck50", {3, 4, 6, 3});
  add_bottleneck("bottleneck101", {3, 4, 23, 3});
  add_bottleneck("bottleneck152", {3, 8, 36, 3});
  add_bottleneck("bottleneck200", {3, 24, 36, 3});
  return presets;
}

}  // namespace

const std::vector<ModelPreset>& model_presets() {
  static const std::vector<ModelPreset> presets = make_presets();
  return presets;
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const auto& preset : model_presets()) {
    names.push_back(preset.name);
  }
  return names;
}

const ModelPreset& model_preset(const std::string& name) {
  for (const auto& preset : model_presets()) {
    if (preset.name == name) {
      return preset;
    }
  }
  throw InputError(fmt::format("unknown model '{}'{}", name,
                               did_you_mean(name, model_names(), "", "; 'resist train --help' lists the models")));
}

ModelPreset resolve_model(const ModelOptions& options) {
  ModelPreset model = model_preset(options.model);
  if (!options.depths.empty()) {
    model.depths = options.depths;
  }
  if (options.width > 0) {
    model.width = options.width;
  }
  model.stem = options.stem.value_or(model.stem);
  model.final_norm = options.final_norm.value_or(model.final_norm);
  return model;
}

}  // namespace resist
