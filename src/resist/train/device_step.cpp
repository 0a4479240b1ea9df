#include "resist/train/device_step.h"

#include <torch/types.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "resist/model/cuda.h"
#include "resist/model/device.h"
#include "resist/train/step_parts.h"

namespace resist {
namespace {

// Before libraries have chosen their ways and made their scratch, nothing can be recorded.
constexpr int kIterationsBeforeRecording = 3;

// The network that a recording is of: where the slots in use lie, and the sizes of what is in them.
struct Shape {
  std::vector<std::int64_t> offsets;
  std::vector<std::int64_t> sizes;
  bool operator<(const Shape& other) const { return std::tie(offsets, sizes) < std::tie(other.offsets, other.sizes); }
};

struct Recordings {
  std::optional<int> forward;
  std::optional<int> backward;
  at::Tensor loss;  // that the former leaves
};

class DeviceStep : public LocalStep {
 public:
  DeviceStep(const TrainingSetup& setup, WorkerParameters& parameters)
      : setup_(setup), parameters_(parameters), device_(open_device(setup.device)), network_(setup.spec, setup.layout) {
    if (device_.is_cuda()) {
      queue_ = std::make_unique<CudaQueue>(device_.index());
    }
  }

  void take() override {
    run([&] {
      prepare();
      const at::NoGradGuard no_gradients;
      values_.copy_(host(parameters_.values()));
      momentum_.copy_(host(parameters_.momentum()));
    });
    ahead_ = false;
  }

  void give() override {
    if (!std::exchange(ahead_, false)) {
      return;
    }
    run([&] {
      host(parameters_.values()).copy_(values_);
      host(parameters_.momentum()).copy_(momentum_);
    });
  }

  double forward(const Batch& batch, const std::vector<int>& passed_by) override {
    passed_by_ = passed_by;
    double loss = 0;
    run([&] {
      const at::Tensor images = images_of(setup_.spec, batch);
      if (!images_.defined() || images_.sizes() != images.sizes()) {
        images_ = at::empty(images.sizes(), at::TensorOptions(device_).dtype(at::kFloat));
        labels_ = at::empty({batch.size()}, at::TensorOptions(device_).dtype(at::kLong));
        forget_recordings();
      }
      images_.copy_(images);
      labels_.copy_(labels_of(batch));
      ++iterations_;
      loss_ = work_forward();
      loss = loss_.item<double>();
    });
    return loss;
  }

  void step(double learning_rate) override {
    run([&] {
      backward();
      update(runs_in_use(), learning_rate);
      ahead_ = true;
    });
  }

  std::span<float> gradients() override {
    const std::span<float> gradients = parameters_.gradients();
    run([&] {
      backward();
      host(gradients.data()).copy_(gradients_);
    });
    return gradients;
  }

  // On the processor: devices round differently, and workers that average gradients have the same bits always.
  void step_by_gradients(double learning_rate) override {
    step_arenas(setup_.config.train, parameters_, learning_rate);
    ahead_ = false;
    run([&] {
      const at::NoGradGuard no_gradients;
      values_.copy_(host(parameters_.values()));
    });
  }

 private:
  using Work = std::function<void()>;

  void run(const Work& work) { queue_ ? queue_->run(work) : work(); }

  at::Tensor host(float* arena) const {
    return at::from_blob(arena, {parameters_.placement().arena.size()}, at::kFloat);
  }

  // Memory here for the arenas' shape, and the network's views of it.
  void prepare() {
    shape_ = {.offsets = parameters_.offsets(), .sizes = {}};
    for (const int block : parameters_.held()) {
      shape_.sizes.push_back(setup_.layout.blocks[block].size);
    }
    const std::int64_t size = parameters_.placement().arena.size();
    if (!values_.defined() || values_.numel() != size) {
      forget_recordings();
      for (at::Tensor* arena : {&values_, &momentum_, &gradients_, &decay_}) {
        *arena = at::zeros({size}, at::TensorOptions(device_).dtype(at::kFloat));
      }
    }
    for (const WorkerParameters::Place& place : parameters_.places()) {
      decay_.narrow(0, place.offset, place.size).fill_(weight_decay(setup_.config.train, place));
    }
    network_.unbind_blocks();
    give_gradients(network_.bind_shared(memory(values_, 0)), setup_.layout.shared, 0);
    for (std::size_t i = 0; i < shape_.offsets.size(); ++i) {
      const int block = parameters_.held()[i];
      const std::int64_t offset = shape_.offsets[i];
      give_gradients(network_.bind_block(block, memory(values_, offset)), setup_.layout.blocks[block].parameters,
                     offset);
    }
  }

  static ParameterMemory memory(const at::Tensor& values, std::int64_t offset) {
    return {.values = values, .offset = offset, .trained = true};
  }

  // Autograd adds to them where they lie.
  void give_gradients(const std::vector<at::Tensor>& leaves, const std::vector<Parameter>& parameters,
                      std::int64_t start) const {
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      const Parameter& parameter = parameters[i];
      leaves[i].mutable_grad() = gradients_.narrow(0, start + parameter.offset, parameter.size).view(parameter.shape);
    }
  }

  // Whether iterations are recorded. A branch of somebody's own may be another one in each.
  bool records() const {
    return queue_ && setup_.config.train.stochastic_depth == 0 && !setup_.spec.branch &&
           iterations_ > kIterationsBeforeRecording;
  }

  // The batch's loss, by the recording of it where there can be one.
  at::Tensor work_forward() {
    const auto work = [&] { return batch_loss(setup_, network_, images_, labels_, passed_by_); };
    if (!records()) {
      return work();
    }
    Recordings& recorded = recorded_[shape_];
    if (!recorded.forward) {
      recorded.forward = queue_->record([&] { recorded.loss = work(); });
    }
    queue_->replay(*recorded.forward);
    return recorded.loss;
  }

  void backward() {
    const auto work = [&] {
      gradients_.zero_();
      loss_.backward();
    };
    if (!records()) {
      work();
      return;
    }
    std::optional<int>& recorded = recorded_[shape_].backward;
    if (!recorded) {
      recorded = queue_->record(work);
    }
    queue_->replay(*recorded);
  }

  // The runs of elements that the last forward() used.
  std::vector<WorkerParameters::Run> runs_in_use() const {
    if (passed_by_.empty()) {
      return parameters_.runs();
    }
    std::vector<WorkerParameters::Run> runs = {{.offset = 0, .size = setup_.layout.shared_size}};
    for (std::size_t i = 0; i < shape_.offsets.size(); ++i) {
      if (!std::ranges::binary_search(passed_by_, parameters_.held()[i])) {
        runs.push_back({.offset = shape_.offsets[i], .size = shape_.sizes[i]});
      }
    }
    return runs;
  }

  // sgd.h's step, as few kernels over everything.
  void update(const std::vector<WorkerParameters::Run>& runs, double learning_rate) {
    const at::NoGradGuard no_gradients;
    const TrainOptions& options = setup_.config.train;
    for (const auto& [offset, size] : runs) {
      const auto part = [begin = offset, count = size](const at::Tensor& arena) {
        return arena.narrow(0, begin, count);
      };
      at::Tensor gradients = part(gradients_);
      at::Tensor momentum = part(momentum_);
      gradients.addcmul_(part(values_), part(decay_));
      momentum.mul_(options.momentum).add_(gradients);
      part(values_).sub_(options.nesterov ? gradients.add_(momentum, options.momentum) : momentum, learning_rate);
    }
  }

  void forget_recordings() {
    loss_.reset();
    recorded_.clear();
    iterations_ = 0;
    if (queue_) {
      queue_->forget_recordings();
    }
  }

  const TrainingSetup& setup_;
  WorkerParameters& parameters_;
  at::Device device_;
  std::unique_ptr<CudaQueue> queue_;  // null: the processor
  Network network_;
  // Arenas on the device, and each element's weight decay.
  at::Tensor values_;
  at::Tensor momentum_;
  at::Tensor gradients_;
  at::Tensor decay_;
  at::Tensor images_;
  at::Tensor labels_;
  at::Tensor loss_;
  Shape shape_;
  std::vector<int> passed_by_;  // by the last forward()
  bool ahead_ = false;          // of the processor's arenas
  int iterations_ = 0;          // since the arenas were made
  std::map<Shape, Recordings> recorded_;
};

}  // namespace

std::unique_ptr<LocalStep> make_device_step(const TrainingSetup& setup, WorkerParameters& parameters) {
  return std::make_unique<DeviceStep>(setup, parameters);
}

}  // namespace resist
