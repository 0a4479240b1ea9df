#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "resist/checkpoint/calibration.h"
#include "resist/core/error.h"
#include "resist/export/check_values.h"
#include "resist/export/deployed_model.h"
#include "resist/export/parameter_values.h"
#include "resist/model/block.h"

namespace resist {
namespace {

// A deployed model's parameters by name, for the groups that the trained network was dealt in.
class NamedParameters {
 public:
  explicit NamedParameters(DeployedModel& model) : model_(model) {
    for (const Parameter& parameter : model.layout.shared) {
      parameters_.emplace(parameter.name, &parameter);
    }
  }

  std::span<float> operator[](const std::string& name) const { return values_of(model_, *parameters_.at(name)); }

  void read(const SafetensorsReader& part, const std::vector<Parameter>& group) const {
    for (const Parameter& parameter : group) {
      part.read(parameter.name, (*this)[parameter.name]);
    }
  }

 private:
  DeployedModel& model_;
  std::unordered_map<std::string, const Parameter*> parameters_;
};

// The parameters that carry the scale of this block's residual branch.
std::vector<std::string> scaled_parameters(const NetworkSpec& spec, const BlockLayout& block) {
  const std::size_t last = block_shape(spec, block.section, block.index).convolutions().size();
  const std::string prefix = fmt::format("layer{}.{}.", block.section, block.index);
  if (spec.block == BlockType::preact) {
    return {fmt::format("{}conv{}.weight", prefix, last)};
  }
  return {fmt::format("{}bn{}.weight", prefix, last), fmt::format("{}bn{}.bias", prefix, last)};
}

void fold_scales(const NetworkSpec& spec, const Layout& trained, const std::vector<double>& scales,
                 const NamedParameters& parameters) {
  for (std::size_t i = 0; i < trained.decks.size(); ++i) {
    const Deck& deck = trained.decks[i];
    for (int block = deck.first_block; block < deck.first_block + deck.count; ++block) {
      for (const std::string& name : scaled_parameters(spec, trained.blocks[static_cast<std::size_t>(block)])) {
        for (float& value : parameters[name]) {
          value = static_cast<float>(value * scales[i]);
        }
      }
    }
  }
}

// The data set's info as this network has it: it may have more classes than the data set, whose names then say nothing.
DatasetInfo fit_info(DatasetInfo info, const NetworkSpec& spec) {
  if (info.channels != spec.channels || info.height != spec.height || info.width != spec.image_width ||
      info.classes > spec.classes) {
    throw InputError(fmt::format(
        "the network was trained for pictures of {}x{}x{} in {} classes but {} has {}x{}x{} in {}", spec.channels,
        spec.height, spec.image_width, spec.classes, info.name, info.channels, info.height, info.width, info.classes));
  }
  info.classes = spec.classes;
  if (info.class_names.size() != static_cast<std::size_t>(spec.classes)) {
    info.class_names.clear();
  }
  return info;
}

}  // namespace

DeployedModel assemble_model(const Checkpoint& checkpoint, const NetworkSpec& trained, const DatasetInfo& info,
                             const std::vector<double>& scales, NormStatistics statistics) {
  check_exportable(trained);
  const Layout dealt = make_layout(trained);
  check_calibration({.round = checkpoint.state().round, .scales = scales, .info = info, .statistics = statistics},
                    dealt);
  DeployedModel model{.spec = trained, .scales = scales, .info = fit_info(info, trained)};
  model.spec.partition_sections.clear();
  model.spec.partition_first_blocks = false;
  model.spec.bf16 = false;
  model.spec.zero_init = false;  // it has done its work
  model.layout = make_layout(model.spec);
  for (const Deck& deck : dealt.decks) {
    model.scaled_sections.push_back(deck.section);
  }
  model.statistics = std::move(statistics);
  model.values.resize(static_cast<std::size_t>(model.layout.shared_size));
  const NamedParameters parameters(model);
  parameters.read(checkpoint.part("shared"), dealt.shared);
  if (!dealt.blocks.empty()) {
    const SafetensorsReader part = checkpoint.part("blocks");
    for (const BlockLayout& block : dealt.blocks) {
      parameters.read(part, block.parameters);
    }
  }
  fold_scales(model.spec, dealt, scales, parameters);
  check_values(model, checkpoint.folder().string());
  return model;
}

}  // namespace resist
