// Included first by scripts/check-tidy. gcc 12's std::vector is constexpr in C++20, for which clang 14 instantiates members
// over types that the headers of torch 1.13 leave incomplete; here it is not constexpr.
#include <bits/stl_pair.h>
#pragma push_macro("_GLIBCXX20_CONSTEXPR")
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#include <bits/stl_algobase.h>
#pragma pop_macro("_GLIBCXX20_CONSTEXPR")
#include <string>
#pragma push_macro("_GLIBCXX20_CONSTEXPR")
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#include <vector>
#pragma pop_macro("_GLIBCXX20_CONSTEXPR")
