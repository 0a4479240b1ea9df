#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "resist/model/network.h"
#include "resist/sync/sync_plan.h"

namespace resist {

// One worker's share of the global network: four flat arenas of one shape (values, gradients, momentum, staging) laid
// out as Placement says, and the sub-network whose parameters are views into them. Repartition changes what the slots
// hold, never where they lie in an arena. No more memory than that is used, except while the arena changes its shape.
class WorkerParameters {
 public:
  // Values are the initial ones of the placed blocks (a pure function of the seed); momentum is zero.
  WorkerParameters(const NetworkSpec& spec, const Layout& layout, Placement placement, int worker, std::uint64_t seed);
  ~WorkerParameters();

  const Layout& layout() const { return layout_; }
  const Placement& placement() const { return placement_; }
  const std::vector<int>& held() const { return placement_.assignment.held(worker_); }
  // Where each held block lies in the arenas.
  std::vector<std::int64_t> offsets() const { return placement_.arena.block_offsets(held()); }
  const Network& network() const { return network_; }

  float* values();
  float* gradients();
  float* momentum();
  // Memory of `next`'s shape for the next round's values.
  float* stage(const ArenaLayout& next);
  // The same for its momentum; takes the gradients' memory, which is free between rounds.
  float* stage_momentum(const ArenaLayout& next);
  // What was staged becomes the live parameters: arenas change places, nothing is copied, and the views follow.
  // `momentum_staged`: so does the momentum.
  void install(Placement next, bool momentum_staged);

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
