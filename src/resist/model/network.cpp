#include "resist/model/network.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "resist/core/error.h"
#include "resist/model/block.h"
#include "resist/model/convolution.h"
#include "resist/model/norm.h"
#include "resist/model/residual_branch.h"

namespace resist {

struct Network::Norm {
  std::string name;
  at::Tensor weight;
  at::Tensor bias;
};

// One residual block; its tensors are undefined where the block has no such tensor or it is not bound.
struct Network::Block {
  BlockShape shape;
  // Of each of the branch's layers.
  std::vector<at::Tensor> convolutions;
  std::vector<Norm> norms;
  at::Tensor projection;
  Norm projection_norm;

  bool has_branch() const { return std::ranges::any_of(convolutions, &at::Tensor::defined); }
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

std::string sizes_in_words(const at::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes(), ", "));
}

}  // namespace

struct Network::Views {
  at::Tensor conv1;
  Norm bn1;
  Norm final_norm;
  at::Tensor fc_weight;
  at::Tensor fc_bias;
  std::map<std::pair<int, int>, Block> blocks;           // by (section, index)
  std::unordered_map<std::string, at::Tensor*> by_name;  // what a parameter's name means

  void name(const std::string& parameter, at::Tensor& tensor) { by_name.emplace(parameter, &tensor); }
  void name_norm(const std::string& norm, Norm& tensors) {
    tensors.name = norm;
    name(norm + ".weight", tensors.weight);
    name(norm + ".bias", tensors.bias);
  }
  // Adds a block without tensors: not bound yet.
  void add_block(int section, int index, BlockShape shape) {
    Block& block = blocks[{section, index}];
    block.shape = std::move(shape);
    const std::size_t count = block.shape.layers.size();
    block.convolutions.resize(count);
    block.norms.resize(count);
    const std::string prefix = fmt::format("layer{}.{}.", section, index);
    for (std::size_t i = 0; i < count; ++i) {
      const BranchLayer& layer = block.shape.layers[i];
      if (layer.convolution() != nullptr) {
        name(prefix + layer.name + ".weight", block.convolutions[i]);
      } else {
        name_norm(prefix + layer.name, block.norms[i]);
      }
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
      views_->add_block(section, index, block_shape(spec, section, index));
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
  const at::Tensor input = images.to(views_->conv1.device(), spec_.bf16 ? at::kBFloat16 : at::kFloat);
  at::Tensor x = convolve(input, views_->conv1, large ? 2 : 1);
  if (spec_.block == BlockType::postact) {
    x = normalise(x, views_->bn1, /*relu=*/true);
  }
  return large ? at::max_pool2d(x, {3, 3}, {2, 2}, {1, 1}) : x;
}

// A branch of one's own sees its block through this.
class Network::OwnPass : public BranchPass {
 public:
  OwnPass(const Network& network, const Block& block) : network_(network), block_(block) {}

  at::Tensor convolve(const std::string& layer, const at::Tensor& x) const override {
    const std::size_t i = index_of(layer, /*convolution=*/true);
    return resist::convolve(x, block_.convolutions[i], block_.shape.layers[i].convolution()->stride);
  }
  at::Tensor normalise(const std::string& layer, const at::Tensor& x, bool relu) const override {
    return network_.normalise(x, block_.norms[index_of(layer, /*convolution=*/false)], relu);
  }

 private:
  std::size_t index_of(const std::string& name, bool convolution) const {
    const auto& layers = block_.shape.layers;
    const auto found = std::ranges::find(layers, name, &BranchLayer::name);
    if (found == layers.end() || (found->convolution() != nullptr) != convolution) {
      throw InputError(fmt::format("the residual branch asks for a {} '{}', which its layers() do not name",
                                   convolution ? "convolution" : "norm", name));
    }
    return static_cast<std::size_t>(found - layers.begin());
  }

  const Network& network_;
  const Block& block_;
};

// The residual branch of `x`: the block's input, where the network normalises that, normalised already.
at::Tensor Network::branch(const Block& block, at::Tensor x) const {
  if (spec_.branch) {
    return spec_.branch->forward(OwnPass(*this, block), x);
  }
  const bool preact = spec_.block == BlockType::preact;
  const auto& layers = block.shape.layers;
  for (std::size_t i = preact ? 1 : 0; i < layers.size(); ++i) {
    const ConvolutionShape* convolution = layers[i].convolution();
    x = convolution != nullptr ? convolve(x, block.convolutions[i], convolution->stride)
                               : normalise(x, block.norms[i], /*relu=*/i + 1 < layers.size());
  }
  return x;
}

at::Tensor Network::apply(const Position& position, const at::Tensor& activations, double scale) const {
  const Block& block = views_->blocks.at({position.section, position.index});
  const bool has_branch = block.has_branch() && scale != 0;
  if (!has_branch && !block.shape.projects) {
    return activations;
  }
  const at::Tensor input =
      spec_.normalises_input() ? normalise(activations, block.norms.front(), /*relu=*/true) : activations;
  const bool postact = spec_.block == BlockType::postact;
  at::Tensor shortcut = activations;
  if (block.shape.projects) {
    shortcut = convolve(input, block.projection, block.shape.geometry.stride);
    shortcut = postact ? normalise(shortcut, block.projection_norm, /*relu=*/false) : shortcut;
  }
  if (!has_branch) {
    return postact ? shortcut.relu() : shortcut;
  }
  const at::Tensor residual = branch(block, input);
  if (spec_.branch) {
    if (residual.sizes() != shortcut.sizes()) {
      throw InputError(fmt::format("the residual branch gives {} where the block has {}", sizes_in_words(residual),
                                   sizes_in_words(shortcut)));
    }
    return at::add(shortcut, residual, scale);  // its last operation may need its result for the backward pass
  }
  const at::Tensor sum = add_branch(residual, shortcut, scale);
  return postact ? sum.relu_() : sum;
}

at::Tensor Network::head(const at::Tensor& activations) const {
  const at::Tensor x = spec_.final_norm ? normalise(activations, views_->final_norm, /*relu=*/true) : activations;
  return at::linear(x.mean({2, 3}, /*keepdim=*/false, at::kFloat), views_->fc_weight, views_->fc_bias);
}

at::Tensor Network::forward(const at::Tensor& images, const std::vector<int>& passed_by) const {
  at::Tensor x = stem(images);
  for (const Position& position : positions_) {
    x = apply(position, x, std::ranges::binary_search(passed_by, position.block) ? 0.0 : 1.0);
  }
  return head(x);
}

}  // namespace resist
