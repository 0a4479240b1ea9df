#include "resist/model/network.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <array>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "resist/model/block.h"
#include "resist/model/convolution.h"
#include "resist/model/norm.h"

namespace resist {

struct Network::Norm {
  std::string name;
  at::Tensor weight;
  at::Tensor bias;
};

// The tensors of one residual block; undefined where the block has no such tensor or it is not bound.
struct Network::BlockTensors {
  std::array<at::Tensor, kMaxConvolutions> convolutions;
  std::array<Norm, kMaxConvolutions> norms;  // the one before each convolution, or behind it (post-activation)
  at::Tensor projection;
  Norm projection_norm;

  bool has_branch() const { return convolutions[0].defined(); }
};

namespace {

// A view of `parameter` that autograd treats as a leaf.
at::Tensor make_view(const Parameter& parameter, const ParameterMemory& memory) {
  at::Tensor view = memory.values.narrow(0, memory.offset + parameter.offset, parameter.size);
  return view.view(parameter.shape).detach().set_requires_grad(memory.trained);
}

// Changes `branch`, which nobody else needs.
at::Tensor add_branch(const at::Tensor& branch, const at::Tensor& shortcut, double scale) {
  return scale == 1.0 ? branch.add_(shortcut) : branch.mul_(scale).add_(shortcut);
}

}  // namespace

struct Network::Views {
  at::Tensor conv1;
  Norm bn1;
  Norm final_norm;
  at::Tensor fc_weight;
  at::Tensor fc_bias;
  std::map<std::pair<int, int>, BlockTensors> blocks;    // by (section, index)
  std::unordered_map<std::string, at::Tensor*> by_name;  // what a parameter's name means

  void name(const std::string& parameter, at::Tensor& tensor) { by_name.emplace(parameter, &tensor); }
  void name_norm(const std::string& norm, Norm& tensors) {
    tensors.name = norm;
    name(norm + ".weight", tensors.weight);
    name(norm + ".bias", tensors.bias);
  }
  // Adds a block without tensors: not bound yet.
  void add_block(int section, int index) {
    BlockTensors& block = blocks[{section, index}];
    const std::string prefix = fmt::format("layer{}.{}.", section, index);
    for (std::size_t i = 0; i < kMaxConvolutions; ++i) {
      name(fmt::format("{}conv{}.weight", prefix, i + 1), block.convolutions[i]);
      name_norm(fmt::format("{}bn{}", prefix, i + 1), block.norms[i]);
    }
    name(prefix + "downsample.0.weight", block.projection);
    name_norm(prefix + "downsample.1", block.projection_norm);
  }
};

Network::Network(const NetworkSpec& spec, const Layout& layout)
    : spec_(spec), layout_(&layout), views_(std::make_unique<Views>()) {
  views_->name("conv1.weight", views_->conv1);
  views_->name_norm("bn1", views_->bn1);
  views_->name_norm("norm", views_->final_norm);
  views_->name("fc.weight", views_->fc_weight);
  views_->name("fc.bias", views_->fc_bias);
  std::map<std::pair<int, int>, int> ids;
  for (int id = 0; id < static_cast<int>(layout.blocks.size()); ++id) {
    ids[{layout.blocks[id].section, layout.blocks[id].index}] = id;
  }
  for (int section = 1; section <= static_cast<int>(spec.depths.size()); ++section) {
    for (int index = 0; index < spec.depths[section - 1]; ++index) {
      const auto id = ids.find({section, index});
      positions_.push_back({.section = section, .index = index, .block = id == ids.end() ? -1 : id->second});
      views_->add_block(section, index);
    }
  }
}

Network::~Network() = default;
Network::Network(Network&&) noexcept = default;

std::vector<at::Tensor> Network::bind(const std::vector<Parameter>& parameters, const ParameterMemory& memory) {
  std::vector<at::Tensor> views;
  views.reserve(parameters.size());
  for (const Parameter& parameter : parameters) {
    views.push_back(*views_->by_name.at(parameter.name) = make_view(parameter, memory));
  }
  return views;
}

std::vector<at::Tensor> Network::bind_shared(const ParameterMemory& memory) {
  return bind(layout_->shared, memory);
}

std::vector<at::Tensor> Network::bind_block(int block, const ParameterMemory& memory) {
  return bind(layout_->blocks.at(block).parameters, memory);
}

void Network::unbind_block(int block) {
  for (const Parameter& parameter : layout_->blocks.at(block).parameters) {
    views_->by_name.at(parameter.name)->reset();
  }
}

void Network::unbind_blocks() {
  for (int block = 0; block < static_cast<int>(layout_->blocks.size()); ++block) {
    unbind_block(block);
  }
}

at::Tensor Network::normalise(const at::Tensor& x, const Norm& norm, bool relu) const {
  if (collected_ != nullptr) {
    (*collected_)[norm.name] = batch_moments(x);
  }
  return statistics_ == nullptr ? batch_norm(x, norm.weight, norm.bias, relu)
                                : batch_norm(x, norm.weight, norm.bias, relu, statistics_->at(norm.name));
}

at::Tensor Network::stem(const at::Tensor& images) const {
  const bool large = spec_.stem == Stem::conv7;
  at::Tensor x = convolve(images.to(spec_.bf16 ? at::kBFloat16 : at::kFloat), views_->conv1, large ? 2 : 1);
  if (spec_.block == BlockType::postact) {
    x = normalise(x, views_->bn1, /*relu=*/true);
  }
  return large ? at::max_pool2d(x, {3, 3}, {2, 2}, {1, 1}) : x;
}

// The residual branch of `x`: the block's input, in a pre-activation block normalised already.
at::Tensor Network::branch(const BlockTensors& block, const BlockShape& shape, at::Tensor x) const {
  const bool preact = spec_.block == BlockType::preact;
  const std::size_t count = shape.convolutions.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (preact && i > 0) {
      x = normalise(x, block.norms[i], /*relu=*/true);
    }
    x = convolve(x, block.convolutions[i], shape.convolutions[i].stride);
    if (!preact) {
      x = normalise(x, block.norms[i], /*relu=*/i + 1 < count);
    }
  }
  return x;
}

at::Tensor Network::apply(const Position& position, const at::Tensor& activations, double scale) const {
  const BlockTensors& block = views_->blocks.at({position.section, position.index});
  const BlockShape shape = block_shape(spec_, position.section, position.index);
  if (!block.has_branch() && !shape.projects) {
    return activations;
  }
  const bool preact = spec_.block == BlockType::preact;
  const at::Tensor input = preact ? normalise(activations, block.norms[0], /*relu=*/true) : activations;
  at::Tensor shortcut = activations;
  if (shape.projects) {
    shortcut = convolve(input, block.projection, shape.stride);
    shortcut = preact ? shortcut : normalise(shortcut, block.projection_norm, /*relu=*/false);
  }
  at::Tensor sum = block.has_branch() ? add_branch(branch(block, shape, input), shortcut, scale) : shortcut;
  if (preact) {
    return sum;
  }
  return block.has_branch() ? sum.relu_() : sum.relu();
}

at::Tensor Network::head(const at::Tensor& activations) const {
  const at::Tensor x = spec_.final_norm ? normalise(activations, views_->final_norm, /*relu=*/true) : activations;
  return at::linear(x.mean({2, 3}, /*keepdim=*/false, at::kFloat), views_->fc_weight, views_->fc_bias);
}

at::Tensor Network::forward(const at::Tensor& images) const {
  at::Tensor x = stem(images);
  for (const Position& position : positions_) {
    x = apply(position, x, 1.0);
  }
  return head(x);
}

}  // namespace resist
