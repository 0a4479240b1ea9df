#pragma once

namespace resist {

// Sets the threads of torch and of the BLAS library below it; before their first operation. Results are bit for bit the
// same only for the same number.
void set_compute_threads(int threads);

// Shares this machine's cores out among `workers` that are threads of this process, and prepares it for their training.
// `threads`: of each; 0: the cores shared out.
void take_cores_in_process(int threads, int workers);

}  // namespace resist
