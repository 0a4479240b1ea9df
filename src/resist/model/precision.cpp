#include "resist/model/precision.h"

namespace resist {

bool multiplies_bf16() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

Precision choose_precision(Precision asked) {
  if (asked != Precision::automatic) {
    return asked;
  }
  return multiplies_bf16() ? Precision::bf16 : Precision::fp32;
}

}  // namespace resist
