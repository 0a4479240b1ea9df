#include "resist/telemetry/memory.h"

#include <sys/resource.h>

#include <fstream>
#include <string>

namespace resist {

std::int64_t peak_memory_bytes() {
  constexpr std::int64_t kKibibyte = 1024;
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    std::int64_t kibibytes = 0;
    if (word == "VmHWM:" && status >> kibibytes) {
      return kibibytes * kKibibyte;
    }
  }
  // Without /proc. Less exact: it also counts what the process was before exec.
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * kKibibyte;
}

}  // namespace resist
