#pragma once

// Marks a function whose loops are compiled for newer x86 processors as well; the one that fits is chosen when the
// program starts. Not under sanitizers: that choice is made before they are set up.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define RESIST_VECTORISED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define RESIST_VECTORISED
#endif

// What such a function is made of: it has to be inlined to be compiled for those processors too.
#define RESIST_INLINE inline __attribute__((always_inline))
