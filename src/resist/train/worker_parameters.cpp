#include "resist/train/worker_parameters.h"

#include <torch/types.h>

#include <algorithm>
#include <utility>

#include "resist/model/initialise.h"

namespace resist {

struct WorkerParameters::Arenas {
  at::Tensor values;
  at::Tensor gradients;
  at::Tensor momentum;
  at::Tensor staging;
};

namespace {

at::Tensor make_arena(std::int64_t size) {
  return at::zeros({size}, at::kFloat);
}

// Memory of `size` elements: `arena` itself where it fits.
void fit(at::Tensor& arena, std::int64_t size) {
  if (arena.numel() != size) {
    arena = make_arena(size);
  }
}

}  // namespace

WorkerParameters::WorkerParameters(const NetworkSpec& spec, const Layout& layout, Placement placement, int worker,
                                   std::uint64_t seed)
    : layout_(layout),
      placement_(std::move(placement)),
      worker_(worker),
      network_(spec, layout),
      arenas_(std::make_unique<Arenas>()) {
  const std::int64_t size = placement_.arena.size();
  for (at::Tensor* arena : {&arenas_->values, &arenas_->gradients, &arenas_->momentum, &arenas_->staging}) {
    *arena = make_arena(size);
  }
  initialise(layout_.shared, seed, {values(), static_cast<std::size_t>(layout_.shared_size)});
  const auto places = offsets();
  for (std::size_t i = 0; i < places.size(); ++i) {
    const BlockLayout& block = layout_.blocks[held()[i]];
    initialise(block.parameters, seed, {values() + places[i], static_cast<std::size_t>(block.size)});
  }
  bind();
}

WorkerParameters::~WorkerParameters() = default;

float* WorkerParameters::values() {
  return arenas_->values.data_ptr<float>();
}
float* WorkerParameters::gradients() {
  return arenas_->gradients.data_ptr<float>();
}
float* WorkerParameters::momentum() {
  return arenas_->momentum.data_ptr<float>();
}

float* WorkerParameters::stage(const ArenaLayout& next) {
  fit(arenas_->staging, next.size());
  return arenas_->staging.data_ptr<float>();
}

float* WorkerParameters::stage_momentum(const ArenaLayout& next) {
  fit(arenas_->gradients, next.size());
  return gradients();
}

void WorkerParameters::install(Placement next, bool momentum_staged) {
  const std::int64_t size = next.arena.size();
  placement_ = std::move(next);
  network_.unbind_blocks();
  std::swap(arenas_->values, arenas_->staging);
  if (momentum_staged) {
    std::swap(arenas_->momentum, arenas_->gradients);
  }
  for (at::Tensor* arena : {&arenas_->staging, &arenas_->gradients, &arenas_->momentum}) {
    fit(*arena, size);
  }
  bind();
}

void WorkerParameters::bind() {
  network_.bind_shared({.values = arenas_->values, .gradients = arenas_->gradients});
  const auto places = offsets();
  for (std::size_t i = 0; i < places.size(); ++i) {
    network_.bind_block(held()[i], {.values = arenas_->values, .gradients = arenas_->gradients, .offset = places[i]});
  }
}

std::vector<WorkerParameters::Run> WorkerParameters::runs() const {
  std::vector<Run> runs = {{.offset = 0, .size = layout_.shared_size}};
  const auto places = offsets();
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::int64_t size = layout_.blocks[held()[i]].size;
    if (runs.back().offset + runs.back().size == places[i]) {
      runs.back().size += size;
    } else {
      runs.push_back({.offset = places[i], .size = size});
    }
  }
  return runs;
}

std::string WorkerParameters::parameter_at(std::int64_t offset) const {
  const auto find = [&](const std::vector<Parameter>& parameters, std::int64_t start) -> std::string {
    for (const Parameter& parameter : parameters) {
      if (offset >= start + parameter.offset && offset < start + parameter.offset + parameter.size) {
        return parameter.name;
      }
    }
    return {};
  };
  std::string name = find(layout_.shared, 0);
  const auto places = offsets();
  for (std::size_t i = 0; i < places.size() && name.empty(); ++i) {
    name = find(layout_.blocks[held()[i]].parameters, places[i]);
  }
  return name;
}

}  // namespace resist
