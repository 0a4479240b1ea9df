#include "resist/train/local_step.h"

#include <torch/types.h>

#include <algorithm>

#include "resist/train/device_step.h"
#include "resist/train/step_parts.h"

namespace resist {
namespace {

// On the processor: in the arenas themselves.
class ProcessorStep : public LocalStep {
 public:
  ProcessorStep(const TrainingSetup& setup, WorkerParameters& parameters) : setup_(setup), parameters_(parameters) {}

  void take() override {}
  void give() override {}

  double forward(const Batch& batch, const std::vector<int>& passed_by) override {
    some_passed_by_ = !passed_by.empty();
    loss_ = batch_loss(setup_, parameters_.network(), images_of(setup_.spec, batch), labels_of(batch), passed_by);
    return loss_.item<double>();
  }

  void step(double learning_rate) override {
    backward([&](const WorkerParameters::Place& place, const float* gradient) {
      step_in_arena(setup_.config.train, parameters_, place, gradient, learning_rate);
    });
  }

  std::span<float> gradients() override {
    const std::span<float> gradients = parameters_.gradients();
    if (some_passed_by_) {
      std::ranges::fill(gradients, 0.0F);
    }
    backward([&](const WorkerParameters::Place& place, const float* gradient) {
      std::copy_n(gradient, place.size, gradients.data() + place.offset);
    });
    return gradients;
  }

  void step_by_gradients(double learning_rate) override {
    step_arenas(setup_.config.train, parameters_, learning_rate);
  }

 private:
  void backward(const WorkerParameters::GradientSink& sink) {
    parameters_.backward(loss_, sink);
    loss_.reset();
  }

  const TrainingSetup& setup_;
  WorkerParameters& parameters_;
  at::Tensor loss_;
  bool some_passed_by_ = false;  // by the last forward()
};

}  // namespace

std::unique_ptr<LocalStep> make_local_step(const TrainingSetup& setup, WorkerParameters& parameters) {
  if (setup.device == "cpu") {
    return std::make_unique<ProcessorStep>(setup, parameters);
  }
  return make_device_step(setup, parameters);
}

}  // namespace resist
