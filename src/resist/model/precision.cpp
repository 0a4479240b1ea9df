#include "resist/model/precision.h"

#include "resist/config/enum_words.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif

namespace resist {
namespace {

// Whether the processor has them, and the kernel lets programs use them.
bool reports_matrix_units() {
#ifdef __x86_64__
  constexpr unsigned int kLeaf = 7;
  constexpr unsigned int kAmxBf16 = 1U << 22U;  // of EDX; the compilers' headers differ in its name
  unsigned int eax = 0;
  unsigned int ebx = 0;
  unsigned int ecx = 0;
  unsigned int edx = 0;
  if (__get_cpuid_count(kLeaf, 0, &eax, &ebx, &ecx, &edx) == 0 || (edx & kAmxBf16) == 0) {
    return false;
  }
  constexpr unsigned int kTileState = 3U << 17U;  // of XCR0, which there is where there is AMX
  unsigned int low = 0;
  unsigned int high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low & kTileState) == kTileState;
#else
  return false;
#endif
}

}  // namespace

bool multiplies_bf16() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

bool has_matrix_units() {
  static const bool has = reports_matrix_units();  // asking the processor is slow in a virtual machine
  return has;
}

Precision choose_precision(Precision asked, bool multiplies) {
  if (asked != Precision::automatic) {
    return asked;
  }
  return multiplies ? Precision::bf16 : Precision::fp32;
}

std::string precision_in_words(Precision asked, bool multiplies) {
  std::string chosen(to_word(choose_precision(asked, multiplies)));
  if (asked != Precision::automatic) {
    return chosen;
  }
  return chosen + (multiplies ? " (it multiplies that)" : " (it does not multiply bf16)");
}

}  // namespace resist
