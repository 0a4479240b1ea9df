#include "resist/train/worker_parameters.h"

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/types.h>

#include <algorithm>
#include <utility>

#include "resist/core/pages.h"
#include "resist/model/initialise.h"
#include "resist/sync/synchronise.h"

namespace resist {

struct WorkerParameters::Arenas {
  at::Tensor values;
  at::Tensor momentum;
  at::Tensor staged;           // between synchronisations memory that waits for the next one
  at::Tensor staged_momentum;  // undefined where nothing is; so are gradients
  at::Tensor gradients;
  // The nodes of autograd that leave a parameter's gradient in it; it does not keep them itself.
  std::vector<decltype(torch::autograd::impl::grad_accumulator(at::Tensor()))> accumulators;
  const GradientSink* sink = nullptr;  // of the backward pass under way
};

namespace {

using torch::autograd::variable_list;

// What follows when autograd has left a gradient in a parameter.
class GradientHook : public torch::autograd::FunctionPostHook {
 public:
  explicit GradientHook(std::function<void()> work) : work_(std::move(work)) {}
  variable_list operator()(const variable_list& outputs, const variable_list& /*inputs*/) override {
    work_();
    return outputs;
  }

 private:
  std::function<void()> work_;
};

at::Tensor make_arena(std::int64_t size) {
  const auto pages = std::make_shared<Pages>(static_cast<std::size_t>(size) * sizeof(float));
  return at::from_blob(
      pages->data(), {size}, [pages](void* /*data*/) {}, at::kFloat);
}

WorkerParameters::Place place_of(const Parameter& parameter, std::int64_t start) {
  return {.offset = start + parameter.offset, .size = parameter.size, .weight = parameter.is_weight()};
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
  arenas_->values = make_arena(size);
  arenas_->momentum = make_arena(size);
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
float* WorkerParameters::momentum() {
  return arenas_->momentum.data_ptr<float>();
}

float* WorkerParameters::stage(const ArenaLayout& next) {
  if (!arenas_->staged.defined() || arenas_->staged.numel() != next.size()) {
    arenas_->staged = make_arena(next.size());
  }
  return arenas_->staged.data_ptr<float>();
}

float* WorkerParameters::stage_momentum(const ArenaLayout& next) {
  arenas_->staged_momentum = make_arena(next.size());
  return arenas_->staged_momentum.data_ptr<float>();
}

void WorkerParameters::install(Placement next, int worker) {
  const Placement before = std::exchange(placement_, std::move(next));
  const int held_as = std::exchange(worker_, worker);
  network_.unbind_blocks();
  std::swap(arenas_->values, arenas_->staged);
  bind();
  if (arenas_->staged.numel() != arenas_->values.numel()) {
    release_staged();  // of no use, and a new momentum may need as much
  }
  if (arenas_->staged_momentum.defined()) {
    arenas_->momentum = std::exchange(arenas_->staged_momentum, at::Tensor());
    return;
  }
  const at::Tensor momentum_before = arenas_->momentum;
  if (!(before.arena == placement_.arena)) {
    arenas_->momentum = make_arena(placement_.arena.size());
  }
  carry_over(layout_,
             group_memory(before, held_as, momentum_before.data_ptr<float>(), placement_, worker_, momentum()));
}

void WorkerParameters::release_staged() {
  arenas_->staged.reset();
}

void WorkerParameters::bind() {
  arenas_->accumulators.clear();
  const auto keep = [&](const std::vector<Parameter>& parameters, const std::vector<at::Tensor>& leaves,
                        std::int64_t start) {
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      const auto hand_over = [arenas = arenas_.get(), leaf = leaves[i], place = place_of(parameters[i], start)] {
        at::Tensor& gradient = leaf.mutable_grad();
        (*arenas->sink)(place, gradient.data_ptr<float>());
        gradient.reset();
      };
      arenas_->accumulators.push_back(torch::autograd::impl::grad_accumulator(leaves[i]));
      arenas_->accumulators.back()->add_post_hook(std::make_unique<GradientHook>(hand_over));
    }
  };
  keep(layout_.shared, network_.bind_shared({.values = arenas_->values, .trained = true}), 0);
  const auto starts = offsets();
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const ParameterMemory memory{.values = arenas_->values, .offset = starts[i], .trained = true};
    keep(layout_.blocks[held()[i]].parameters, network_.bind_block(held()[i], memory), starts[i]);
  }
}

std::vector<WorkerParameters::Place> WorkerParameters::places() const {
  std::vector<Place> places;
  const auto add = [&](const std::vector<Parameter>& parameters, std::int64_t start) {
    for (const Parameter& parameter : parameters) {
      places.push_back(place_of(parameter, start));
    }
  };
  add(layout_.shared, 0);
  const auto starts = offsets();
  for (std::size_t i = 0; i < starts.size(); ++i) {
    add(layout_.blocks[held()[i]].parameters, starts[i]);
  }
  return places;
}

void WorkerParameters::backward(const at::Tensor& loss, const GradientSink& sink) {
  arenas_->sink = &sink;
  loss.backward();
  arenas_->sink = nullptr;
}

std::span<float> WorkerParameters::gradients() {
  const std::int64_t size = placement_.arena.size();
  if (!arenas_->gradients.defined() || arenas_->gradients.numel() != size) {
    arenas_->gradients = make_arena(size);
  }
  return {arenas_->gradients.data_ptr<float>(), static_cast<std::size_t>(size)};
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
