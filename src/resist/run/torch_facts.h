#pragma once

#include <string>

namespace resist {

// What libtorch there is, and how it computes.
struct TorchFacts {
  std::string version;    // that resist was built with
  std::string parallel;   // what its threads are: "OpenMP", "native thread pool"
  int threads = 0;        // as many as it would take by itself
  std::string blas;       // the library below, in words; empty: not known
  bool fast_blas = true;  // false: the reference library, which is many times slower
  bool onednn = false;    // convolutions by oneDNN
  std::string problem;    // why a small convolution can't be computed; empty: it can
};

TorchFacts torch_facts();

}  // namespace resist
