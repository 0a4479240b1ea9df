#include "resist/run/torch_facts.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <torch/types.h>
#include <torch/version.h>

#include <exception>
#include <filesystem>

namespace resist {
namespace {

// The file that matrix products are in, as the dynamic linker has it.
std::string blas_file() {
  const void* product = ::dlsym(RTLD_DEFAULT, "sgemm_");
  Dl_info info{};
  if (product == nullptr || ::dladdr(product, &info) == 0 || info.dli_fname == nullptr) {
    return "";
  }
  std::error_code ignored;
  const auto file = std::filesystem::canonical(info.dli_fname, ignored);
  return ignored ? info.dli_fname : file.string();
}

void find_blas(TorchFacts& facts) {
  using Config = const char* (*)();
  if (const auto config = reinterpret_cast<Config>(::dlsym(RTLD_DEFAULT, "openblas_get_config"))) {
    facts.blas = config();
    return;
  }
  if (at::hasMKL()) {
    facts.blas = "MKL";
    return;
  }
  const std::string file = blas_file();
  if (file.empty()) {
    return;  // linked into torch
  }
  facts.blas = file;
  const std::string name = std::filesystem::path(file).filename().string();
  facts.fast_blas = !name.starts_with("libblas");
}

std::string parallel_backend() {
  const std::string info = at::get_parallel_info();
  const std::string label = "ATen parallel backend: ";
  const std::size_t begin = info.find(label);
  return begin == std::string::npos ? ""
                                    : info.substr(begin + label.size(), info.find('\n', begin) - begin - label.size());
}

std::string try_convolution() {
  try {
    const at::Tensor result =
        at::conv2d(at::ones({1, 8, 8, 8}), at::ones({8, 8, 3, 3}), {}, /*stride=*/1, /*padding=*/1);
    const auto middle = result.index({0, 0, 4, 4}).item<float>();
    return middle == 72.0F ? "" : "a convolution of ones gives " + std::to_string(middle) + " instead of 72";
  } catch (const std::exception& error) {
    const std::string message = error.what();
    return message.substr(0, message.find('\n'));
  }
}

}  // namespace

TorchFacts torch_facts() {
  TorchFacts facts;
  facts.version = TORCH_VERSION;
  facts.parallel = parallel_backend();
  facts.threads = at::get_num_threads();
  facts.onednn = at::globalContext().hasMKLDNN();
  find_blas(facts);
  facts.problem = try_convolution();
  return facts;
}

}  // namespace resist
