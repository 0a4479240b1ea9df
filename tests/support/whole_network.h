#pragma once

#include <torch/types.h>

#include <deque>
#include <vector>

#include "resist/model/initialise.h"
#include "resist/model/network.h"

namespace resist {

// The whole network in memory of its own, every block bound.
struct WholeNetwork {
  explicit WholeNetwork(const NetworkSpec& spec) : layout(make_layout(spec)), network(spec, layout) {
    leaves.push_back(network.bind_shared(make_memory(layout.shared, layout.shared_size)));
    for (std::size_t id = 0; id < layout.blocks.size(); ++id) {
      const BlockLayout& block = layout.blocks[id];
      leaves.push_back(network.bind_block(static_cast<int>(id), make_memory(block.parameters, block.size)));
    }
  }

  ParameterMemory make_memory(const std::vector<Parameter>& parameters, std::int64_t size) {
    at::Tensor& flat = values.emplace_back(at::empty({size}));
    initialise(parameters, 1, {flat.data_ptr<float>(), static_cast<std::size_t>(size)});
    return {.values = flat, .trained = true};
  }

  Layout layout;
  Network network;
  std::deque<at::Tensor> values;  // 0: shared, 1 + b: block b
  std::vector<std::vector<at::Tensor>> leaves;
};

inline at::Tensor pictures(int count, int channels, int size) {
  return (at::arange(std::int64_t{count} * channels * size * size).reshape({count, channels, size, size}) * 0.37).sin();
}

}  // namespace resist
