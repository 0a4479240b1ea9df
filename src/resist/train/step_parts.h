#pragma once

#include <torch/types.h>

#include <vector>

#include "resist/data/loader.h"
#include "resist/train/training_setup.h"
#include "resist/train/worker_parameters.h"

// What the devices' local steps (local_step.h) and evaluations have in common.
namespace resist {

// [batch, channels, height, width] and [batch]: views of the batch, valid as long as it is.
at::Tensor images_of(const NetworkSpec& spec, const Batch& batch);
at::Tensor labels_of(const Batch& batch);

// Mean cross entropy with label smoothing, part of autograd.
at::Tensor batch_loss(const TrainingSetup& setup, const Network& network, const at::Tensor& images,
                      const at::Tensor& labels, const std::vector<int>& passed_by);

float weight_decay(const TrainOptions& options, const WorkerParameters::Place& place);

// A step of SGD (sgd.h) of one parameter in the arenas.
void step_in_arena(const TrainOptions& options, WorkerParameters& parameters, const WorkerParameters::Place& place,
                   const float* gradient, double learning_rate);
// The same of every parameter, by the gradients in their arena.
void step_arenas(const TrainOptions& options, WorkerParameters& parameters, double learning_rate);

}  // namespace resist
