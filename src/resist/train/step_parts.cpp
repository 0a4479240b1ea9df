#include "resist/train/step_parts.h"

namespace resist {

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

}  // namespace resist
