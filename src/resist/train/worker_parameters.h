#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "resist/model/network.h"
#include "resist/sync/sync_plan.h"

namespace resist {

// One worker's share of the global network: flat arenas of one shape (values, momentum, and memory for the next round's
// values) laid out as Placement says, and the sub-network whose parameters are views into the values.
// Repartition changes what the slots hold, never where they lie in an arena.
class WorkerParameters {
 public:
  // Values are the initial ones of the placed blocks (a pure function of the seed); momentum is zero.
  WorkerParameters(const NetworkSpec& spec, const Layout& layout, Placement placement, int worker, std::uint64_t seed);
  ~WorkerParameters();

  const Layout& layout() const { return layout_; }
  const Placement& placement() const { return placement_; }
  // This worker's rank in it.
  int worker() const { return worker_; }
  const std::vector<int>& held() const { return placement_.assignment.held(worker_); }
  // Where each held block lies in the arenas.
  std::vector<std::int64_t> offsets() const { return placement_.arena.block_offsets(held()); }
  const Network& network() const { return network_; }

  float* values();
  float* momentum();
  // Memory of `next`'s shape for the next round's values; what is in it is unspecified. From round to round it is the
  // arena before, which is kept: fresh memory would cost a page fault for every page of it.
  float* stage(const ArenaLayout& next);
  // The same for its momentum, but zero and not kept: only methods that send momentum need it.
  float* stage_momentum(const ArenaLayout& next);
  // What was staged becomes live: it takes its arena's place, nothing is copied, and the views follow. Momentum that
  // was not staged follows its blocks (carry_over()). `worker`: this worker's rank in `next`.
  void install(Placement next, int worker);
  // Gives back what waits for the next stage(): where none is to come in every round.
  void release_staged();

  // Where a parameter lies in the arenas.
  struct Place {
    std::int64_t offset;
    std::int64_t size;
    bool weight;  // of a convolution or the head; otherwise a norm's parameter or a bias
  };
  // Of every parameter in use.
  std::vector<Place> places() const;

  // Takes the gradient of one parameter.
  using GradientSink = std::function<void(const Place& place, const float* gradient)>;
  // Gradients of `loss`: `sink` is called with each parameter's as soon as it is there, in this thread, and may change
  // the parameter. Then it is dropped: no more than a few are in memory at a time, none is zeroed or added up. A
  // parameter that the sub-network does not use has none.
  void backward(const at::Tensor& loss, const GradientSink& sink);
  // An arena for gradients, for methods that need all of them at once; zero at first.
  std::span<float> gradients();

  // Runs of elements in use: the shared part and the filled slots.
  struct Run {
    std::int64_t offset;
    std::int64_t size;
  };
  std::vector<Run> runs() const;
  // The name of the parameter that element `offset` belongs to.
  std::string parameter_at(std::int64_t offset) const;

 private:
  struct Arenas;
  void bind();

  const Layout& layout_;
  Placement placement_;
  int worker_;
  Network network_;
  std::unique_ptr<Arenas> arenas_;
};

}  // namespace resist
