#pragma once

namespace resist {

// Sets the threads of torch and of the BLAS library below it; before their first operation. Results are bit for bit the
// same only for the same number.
void set_compute_threads(int threads);

}  // namespace resist
