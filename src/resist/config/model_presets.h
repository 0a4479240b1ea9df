#pragma once

#include <string>
#include <vector>

#include "resist/config/config.h"

namespace resist {

// A named network. Depths are the papers', blocks per section.
struct ModelPreset {
  std::string name;
  BlockType block;
  std::vector<int> depths;
  int width;  // of the 3x3 convolutions of section 1
  bool bottleneck = false;
  Stem stem = Stem::conv3;
  bool final_norm = false;
};

const std::vector<ModelPreset>& model_presets();

// The names of all presets, in their order.
std::vector<std::string> model_names();

// InputError with the nearest name where there is no such preset.
const ModelPreset& model_preset(const std::string& name);

// The preset that the options name, with what they give instead.
ModelPreset resolve_model(const ModelOptions& options);

}  // namespace resist
