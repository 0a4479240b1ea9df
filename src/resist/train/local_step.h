#pragma once

#include <memory>
#include <span>
#include <vector>

#include "resist/data/loader.h"
#include "resist/train/training_setup.h"
#include "resist/train/worker_parameters.h"

namespace resist {

// One worker's local iterations on the device that it computes on. Parameters and momentum lie in the worker's arenas
// (worker_parameters.h), which are the processor's; a GPU has a copy while a round trains. References must outlive it;
// for one thread at a time.
class LocalStep {
 public:
  virtual ~LocalStep() = default;

  // What the arenas hold is what the next iteration goes on from. Called at a round's start and whenever they changed.
  virtual void take() = 0;
  // Brings the arenas up to what was trained since take().
  virtual void give() = 0;

  // The batch's mean loss; what its gradients need is kept until they are computed. `passed_by`: held blocks that take
  // no part, ascending ids.
  virtual double forward(const Batch& batch, const std::vector<int>& passed_by) = 0;
  // A step of SGD (sgd.h) by the gradients of the last forward(). Blocks passed by stay as they are.
  virtual void step(double learning_rate) = 0;

  // step() in two parts, for who averages gradients in between. The gradients, an arena of them; it may be written to.
  // Blocks passed by have zeros.
  virtual std::span<float> gradients() = 0;
  // Of all parameters.
  virtual void step_by_gradients(double learning_rate) = 0;
};

// For TrainingSetup::device.
std::unique_ptr<LocalStep> make_local_step(const TrainingSetup& setup, WorkerParameters& parameters);

}  // namespace resist
