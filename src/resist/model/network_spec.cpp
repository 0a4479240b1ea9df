#include "resist/model/network_spec.h"

#include "resist/config/model_presets.h"

namespace resist {
namespace {

int first_positive(int wanted, int otherwise) {
  return wanted > 0 ? wanted : otherwise;
}

}  // namespace

NetworkSpec make_network_spec(const ModelOptions& model, const PartitionOptions& partition, const InputShape& input) {
  const ModelPreset preset = resolve_model(model);
  return {.block = preset.block,
          .depths = preset.depths,
          .width = preset.width,
          .classes = first_positive(model.classes, input.classes),
          .channels = first_positive(model.channels, input.channels),
          .height = first_positive(model.image_size, input.height),
          .image_width = first_positive(model.image_size, input.width),
          .partition_sections = partition.partition_sections,
          .partition_first_blocks = partition.partition_first_blocks};
}

}  // namespace resist
