#include "resist/core/heap.h"

#include <features.h>

#ifdef __GLIBC__
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#endif

#include <cstdint>
#include <cstdlib>

namespace resist {
namespace {

// Address space, not memory: the heap grows into it. What comes beyond has the kernel's usual pages.
constexpr std::size_t kReserved = std::size_t{4} << 30U;

}  // namespace

void keep_freed_memory(int workers) {
#ifdef __GLIBC__
  // Nothing is given back; what does not fit a thread's own heap comes from the first one, grown by the program break.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_ARENA_MAX, workers);
  void* reserved = std::malloc(kReserved);
  if (reserved == nullptr) {
    return;  // this process may not have so much; usual pages then
  }
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto start = (reinterpret_cast<std::uintptr_t>(reserved) + page - 1) / page * page;
  ::madvise(reinterpret_cast<void*>(start), kReserved - page, MADV_HUGEPAGE);
  std::free(reserved);
#endif
}

}  // namespace resist
