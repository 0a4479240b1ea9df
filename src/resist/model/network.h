#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "resist/model/layout.h"
#include "resist/model/norm_statistics.h"

namespace at {
class Tensor;
}

namespace resist {

// Flat float32 memory of any device that parameters are views into, from element `offset` on. `trained`: gradients are
// wanted.
struct ParameterMemory {
  const at::Tensor& values;
  std::int64_t offset = 0;
  bool trained = false;
};

// The forward pass of a sub-network whose parameters lie in somebody else's flat memory: parameters are views, never
// copies. Blocks that are not bound are passed by (their shortcut stays). Not for several threads at once.
class Network {
 public:
  // A residual block's place in the global network.
  struct Position {
    int section;
    int index;
    int block;  // id of the partitioned block, or -1: all of it is shared
  };

  Network(const NetworkSpec& spec, const Layout& layout);
  ~Network();
  Network(Network&&) noexcept;

  const NetworkSpec& spec() const { return spec_; }
  // All blocks of the global network in depth order.
  const std::vector<Position>& positions() const { return positions_; }

  // Makes the shared parameters views of `memory`. Returns them in the layout's order: where they are trained they are
  // autograd's leaves, and grad() is what backward passes left there.
  std::vector<at::Tensor> bind_shared(const ParameterMemory& memory);
  // The same for one partitioned block; it takes part in forward() from now on.
  std::vector<at::Tensor> bind_block(int block, const ParameterMemory& memory);
  void unbind_block(int block);
  void unbind_blocks();

  // What norms use from now on; null: each batch's own statistics, as training does. Must outlive its use and have an
  // entry for every norm that a pass meets.
  void use_statistics(const NormStatistics* statistics) { statistics_ = statistics; }
  // From now on every pass sets the entries of the norms it meets to its batch's statistics; null: no longer.
  void collect_statistics(NormStatistics* collected) { collected_ = collected; }

  // Logits [batch, classes], float32, on the parameters' device, of images [batch, channels, height, width] that may be
  // elsewhere; residual branches at scale 1.
  // `passed_by`: partitioned blocks whose branches take no part, ascending ids.
  at::Tensor forward(const at::Tensor& images, const std::vector<int>& passed_by = {}) const;

  // The steps of forward(), for evaluating block by block.
  at::Tensor stem(const at::Tensor& images) const;
  // `scale` multiplies the residual branch; 0: none.
  at::Tensor apply(const Position& position, const at::Tensor& activations, double scale) const;
  at::Tensor head(const at::Tensor& activations) const;

 private:
  struct Views;
  struct Norm;
  struct Block;
  class OwnPass;
  std::vector<at::Tensor> bind(const std::vector<Parameter>& parameters, const ParameterMemory& memory);
  at::Tensor normalise(const at::Tensor& x, const Norm& norm, bool relu) const;
  at::Tensor branch(const Block& block, at::Tensor x) const;
  NetworkSpec spec_;
  const Layout* layout_;
  std::vector<Position> positions_;
  std::unique_ptr<Views> views_;
  const NormStatistics* statistics_ = nullptr;
  NormStatistics* collected_ = nullptr;
};

}  // namespace resist
