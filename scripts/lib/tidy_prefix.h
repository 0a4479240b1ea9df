// Included first by scripts/check-tidy. gcc 12's std::vector is constexpr in C++20, for which clang 14 instantiates members
// over types that the headers of torch 1.13 leave incomplete; here it is not constexpr, and all that <vector> needs is.
#include <string>

#include <bits/stl_uninitialized.h>
#pragma push_macro("_GLIBCXX20_CONSTEXPR")
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#define __fill_a1 fill_a1_of_bits
#include <vector>
#undef __fill_a1
#pragma pop_macro("_GLIBCXX20_CONSTEXPR")
