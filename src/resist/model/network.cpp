#include "resist/model/network.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <map>
#include <string>
#include <unordered_map>

#include "resist/model/block.h"
#include "resist/model/convolution.h"
#include "resist/model/norm.h"

namespace resist {
namespace {

struct Norm {
  at::Tensor weight;
  at::Tensor bias;
};

// The tensors of one residual block; undefined where the block has no such tensor or it is not bound.
struct BlockTensors {
  at::Tensor conv1;
  at::Tensor conv2;
  Norm bn1;
  Norm bn2;
  at::Tensor projection;
  Norm projection_norm;
};

// A view of `parameter` that autograd treats as a leaf.
at::Tensor make_view(const Parameter& parameter, const ParameterMemory& memory) {
  at::Tensor view = memory.values.narrow(0, memory.offset + parameter.offset, parameter.size);
  return view.view(parameter.shape).detach().set_requires_grad(memory.trained);
}

at::Tensor normalise(const at::Tensor& x, const Norm& norm) {
  return batch_norm(x, norm.weight, norm.bias, /*relu=*/false);
}

at::Tensor norm_relu(const at::Tensor& x, const Norm& norm) {
  return batch_norm(x, norm.weight, norm.bias, /*relu=*/true);
}

// Changes `branch`, which nobody else needs.
at::Tensor add_branch(const at::Tensor& branch, const at::Tensor& shortcut, double scale) {
  return scale == 1.0 ? branch.add_(shortcut) : branch.mul_(scale).add_(shortcut);
}

at::Tensor apply_preact(const BlockTensors& block, const BlockShape& shape, const at::Tensor& x, double scale) {
  if (!block.conv1.defined() && !shape.projects) {
    return x;
  }
  const at::Tensor activated = norm_relu(x, block.bn1);
  at::Tensor shortcut = shape.projects ? convolve(activated, block.projection, shape.stride) : x;
  if (!block.conv1.defined()) {
    return shortcut;
  }
  const at::Tensor hidden = norm_relu(convolve(activated, block.conv1, shape.stride), block.bn2);
  return add_branch(convolve(hidden, block.conv2, 1), shortcut, scale);
}

at::Tensor apply_postact(const BlockTensors& block, const BlockShape& shape, const at::Tensor& x, double scale) {
  const at::Tensor shortcut =
      shape.projects ? normalise(convolve(x, block.projection, shape.stride), block.projection_norm) : x;
  if (!block.conv1.defined()) {
    return shape.projects ? shortcut.relu() : x;
  }
  const at::Tensor hidden = norm_relu(convolve(x, block.conv1, shape.stride), block.bn1);
  return add_branch(normalise(convolve(hidden, block.conv2, 1), block.bn2), shortcut, scale).relu_();
}

}  // namespace

struct Network::Views {
  at::Tensor conv1;
  Norm bn1;
  at::Tensor fc_weight;
  at::Tensor fc_bias;
  std::map<std::pair<int, int>, BlockTensors> blocks;  // by (section, index)

  // The tensor that a parameter's name means.
  at::Tensor& named(const std::string& name) {
    int section = 0;
    int index = 0;
    char rest[32] = {};
    if (std::sscanf(name.c_str(), "layer%d.%d.%31s", &section, &index, rest) != 3) {
      return in({{"conv1.weight", &conv1},
                 {"fc.weight", &fc_weight},
                 {"fc.bias", &fc_bias},
                 {"bn1.weight", &bn1.weight},
                 {"bn1.bias", &bn1.bias}},
                name);
    }
    BlockTensors& block = blocks[{section, index}];
    return in({{"conv1.weight", &block.conv1},
               {"conv2.weight", &block.conv2},
               {"bn1.weight", &block.bn1.weight},
               {"bn1.bias", &block.bn1.bias},
               {"bn2.weight", &block.bn2.weight},
               {"bn2.bias", &block.bn2.bias},
               {"downsample.0.weight", &block.projection},
               {"downsample.1.weight", &block.projection_norm.weight},
               {"downsample.1.bias", &block.projection_norm.bias}},
              rest);
  }

 private:
  static at::Tensor& in(const std::unordered_map<std::string, at::Tensor*>& names, const std::string& name) {
    return *names.at(name);
  }
};

Network::Network(const NetworkSpec& spec, const Layout& layout)
    : spec_(spec), layout_(&layout), views_(std::make_unique<Views>()) {
  std::map<std::pair<int, int>, int> ids;
  for (int id = 0; id < static_cast<int>(layout.blocks.size()); ++id) {
    ids[{layout.blocks[id].section, layout.blocks[id].index}] = id;
  }
  for (int section = 1; section <= static_cast<int>(spec.depths.size()); ++section) {
    for (int index = 0; index < spec.depths[section - 1]; ++index) {
      const auto id = ids.find({section, index});
      positions_.push_back({.section = section, .index = index, .block = id == ids.end() ? -1 : id->second});
      views_->blocks[{section, index}];  // an entry without tensors: not bound yet
    }
  }
}

Network::~Network() = default;
Network::Network(Network&&) noexcept = default;

std::vector<at::Tensor> Network::bind(const std::vector<Parameter>& parameters, const ParameterMemory& memory) {
  std::vector<at::Tensor> views;
  views.reserve(parameters.size());
  for (const Parameter& parameter : parameters) {
    views.push_back(views_->named(parameter.name) = make_view(parameter, memory));
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
    views_->named(parameter.name).reset();
  }
}

void Network::unbind_blocks() {
  for (int block = 0; block < static_cast<int>(layout_->blocks.size()); ++block) {
    unbind_block(block);
  }
}

at::Tensor Network::stem(const at::Tensor& images) const {
  const at::Tensor x = convolve(images.to(spec_.bf16 ? at::kBFloat16 : at::kFloat), views_->conv1, 1);
  return spec_.block == BlockType::preact ? x : norm_relu(x, views_->bn1);
}

at::Tensor Network::apply(const Position& position, const at::Tensor& activations, double scale) const {
  const BlockTensors& block = views_->blocks.at({position.section, position.index});
  const BlockShape shape = block_shape(spec_, position.section, position.index);
  return spec_.block == BlockType::preact ? apply_preact(block, shape, activations, scale)
                                          : apply_postact(block, shape, activations, scale);
}

at::Tensor Network::head(const at::Tensor& activations) const {
  return at::linear(activations.mean({2, 3}, /*keepdim=*/false, at::kFloat), views_->fc_weight, views_->fc_bias);
}

at::Tensor Network::forward(const at::Tensor& images) const {
  at::Tensor x = stem(images);
  for (const Position& position : positions_) {
    x = apply(position, x, 1.0);
  }
  return head(x);
}

}  // namespace resist
