#pragma once

#include "resist/cluster/cores.h"

namespace resist {

// Sets the threads of torch and of the BLAS library below it; before their first operation. Results are bit for bit the
// same only for the same number.
void set_compute_threads(int threads);

// Before a worker of this process trains: its threads and cores, and memory that is kept once it was had.
void take_cores(const CoreShare& share);

// Shares this machine's cores out among `workers` that are threads of this process, and takes them.
// `threads`: of each; 0: the cores shared out.
void take_cores_in_process(int threads, int workers);

}  // namespace resist
