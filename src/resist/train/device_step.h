#pragma once

#include <memory>

#include "resist/train/local_step.h"

namespace resist {

// Local iterations on a device with memory of its own: copies of the arenas there, and from the fourth iteration on a
// GPU replays a recording of the forward and of the backward pass (CudaQueue). Slots make that possible: the next
// round's blocks lie where the last round's did, so one recording serves whenever a worker holds as many. With
// stochastic depth every iteration is another network, and none is recorded; nor is one with a branch of somebody's
// own. A processor by a number, "cpu:0", is a device like that too, without recordings.
std::unique_ptr<LocalStep> make_device_step(const TrainingSetup& setup, WorkerParameters& parameters);

}  // namespace resist
