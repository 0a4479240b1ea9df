#include "resist/train/step_parts.h"

#include <ATen/Parallel.h>

#include <span>

#include "resist/train/sgd.h"

namespace resist {
namespace {

constexpr std::int64_t kSgdGrain = 1 << 16;  // elements worth a thread

}  // namespace

// from_blob takes mutable memory; the network only reads it.
at::Tensor images_of(const NetworkSpec& spec, const Batch& batch) {
  return at::from_blob(const_cast<float*>(batch.pixels.data()),
                       {batch.size(), spec.channels, spec.height, spec.image_width}, at::kFloat);
}

at::Tensor labels_of(const Batch& batch) {
  return at::from_blob(const_cast<std::int64_t*>(batch.labels.data()), {batch.size()}, at::kLong);
}

at::Tensor batch_loss(const TrainingSetup& setup, const Network& network, const at::Tensor& images,
                      const at::Tensor& labels, const std::vector<int>& passed_by) {
  constexpr std::int64_t kIgnoreNone = -100;  // no label is negative
  return at::cross_entropy_loss(network.forward(images, passed_by), labels, {}, at::Reduction::Mean, kIgnoreNone,
                                setup.config.train.label_smoothing);
}

float weight_decay(const TrainOptions& options, const WorkerParameters::Place& place) {
  return place.weight || options.decay_norms ? static_cast<float>(options.weight_decay) : 0.0F;
}

void step_in_arena(const TrainOptions& options, WorkerParameters& parameters, const WorkerParameters::Place& place,
                   const float* gradient, double learning_rate) {
  const SgdOptions sgd{.lr = static_cast<float>(learning_rate),
                       .momentum = static_cast<float>(options.momentum),
                       .weight_decay = weight_decay(options, place),
                       .nesterov = options.nesterov};
  float* momentum = parameters.momentum() + place.offset;
  float* values = parameters.values() + place.offset;
  at::parallel_for(0, place.size, kSgdGrain, [&](std::int64_t begin, std::int64_t end) {
    sgd_step(sgd, end - begin, gradient + begin, momentum + begin, values + begin);
  });
}

void step_arenas(const TrainOptions& options, WorkerParameters& parameters, double learning_rate) {
  const std::span<float> gradients = parameters.gradients();
  for (const WorkerParameters::Place& place : parameters.places()) {
    step_in_arena(options, parameters, place, gradients.data() + place.offset, learning_rate);
  }
}

}  // namespace resist
