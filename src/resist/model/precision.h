#pragma once

#include <string>

#include "resist/config/config.h"

namespace resist {

// Whether this processor has instructions that multiply bf16 (AVX-512 BF16 or AMX). Others convert at every turn, which
// is slower than float32.
bool multiplies_bf16();

// Whether this processor has matrix units for bf16 (AMX).
bool has_matrix_units();

// What `asked` means on a device that multiplies bf16, or does not: fp32 or bf16.
Precision choose_precision(Precision asked, bool multiplies = multiplies_bf16());

// The same for people, with the reason where it was chosen.
std::string precision_in_words(Precision asked, bool multiplies);

}  // namespace resist
