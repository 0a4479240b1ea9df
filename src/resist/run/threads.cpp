#include "resist/run/threads.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <torch/types.h>

namespace resist {

void set_compute_threads(int threads) {
  at::set_num_threads(threads);
  // OpenBLAS keeps a pool of its own; where torch brings another BLAS the symbol is absent.
  using SetThreads = void (*)(int);
  if (const auto set = reinterpret_cast<SetThreads>(::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) {
    set(threads);
  }
}

}  // namespace resist
