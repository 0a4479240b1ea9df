#include "resist/telemetry/memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace resist {
namespace {

TEST(PeakMemory, GrowsByWhatIsTouchedAndNeverShrinks) {
  constexpr std::int64_t kBytes = 64 << 20;
  const std::int64_t before = peak_memory_bytes();
  EXPECT_GT(before, 1 << 20);
  {
    std::vector<char> touched(kBytes);
    volatile char* bytes = touched.data();
    for (std::int64_t i = 0; i < kBytes; i += 4096) {
      bytes[i] = 1;
    }
  }
  // The peak before may have been above what was in use; half leaves room for that.
  EXPECT_GT(peak_memory_bytes(), before + kBytes / 2);
}

}  // namespace
}  // namespace resist
