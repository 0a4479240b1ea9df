#pragma once

#include <cstdint>

namespace resist {

// Peak resident memory of this process in bytes, as the kernel counts it (VmHWM).
std::int64_t peak_memory_bytes();

}  // namespace resist
