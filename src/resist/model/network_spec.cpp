#include "resist/model/network_spec.h"

#include <utility>

#include "resist/config/model_presets.h"
#include "resist/model/precision.h"

namespace resist {
namespace {

int first_positive(int wanted, int otherwise) {
  return wanted > 0 ? wanted : otherwise;
}

}  // namespace

NetworkSpec make_network_spec(const Config& config, const InputShape& input) {
  const ModelOptions& model = config.model;
  const ModelPreset preset = resolve_model(model);
  std::vector<int> sections = config.partition.partition_sections;
  if (config.train.method != Method::resist) {
    std::erase_if(sections, [&](int section) { return section > static_cast<int>(preset.depths.size()); });
  }
  return {.block = preset.block,
          .bottleneck = preset.bottleneck,
          .stem = preset.stem,
          .final_norm = preset.final_norm,
          .zero_init = model.zero_init,
          .depths = preset.depths,
          .width = preset.width,
          .classes = first_positive(model.classes, input.classes),
          .channels = first_positive(model.channels, input.channels),
          .height = first_positive(model.image_size, input.height),
          .image_width = first_positive(model.image_size, input.width),
          .partition_sections = std::move(sections),
          .partition_first_blocks = config.partition.partition_first_blocks,
          .bf16 = choose_precision(config.cluster.precision) == Precision::bf16};
}

}  // namespace resist
