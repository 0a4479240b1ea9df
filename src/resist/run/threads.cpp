#include "resist/run/threads.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <torch/types.h>

#include <vector>

#include "resist/core/heap.h"

namespace resist {

void set_compute_threads(int threads) {
  at::set_num_threads(threads);
  // OpenBLAS keeps a pool of its own; where torch brings another BLAS the symbol is absent.
  using SetThreads = void (*)(int);
  if (const auto set = reinterpret_cast<SetThreads>(::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) {
    set(threads);
  }
}

void take_cores(const CoreShare& share) {
  if (!share.pinned.empty()) {
    stay_on(share.pinned);
  }
  keep_freed_memory();
  set_compute_threads(share.threads);
}

void take_cores_in_process(int threads, int workers) {
  const std::vector<Cores> same(static_cast<std::size_t>(workers), own_cores(threads));
  keep_freed_memory(workers);
  set_compute_threads(share_cores(same, 0).threads);
}

}  // namespace resist
