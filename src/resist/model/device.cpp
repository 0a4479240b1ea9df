#include "resist/model/device.h"

#include <ATen/Context.h>
#include <c10/core/Device.h>
#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "resist/core/error.h"
#include "resist/model/cuda.h"
#include "resist/model/precision.h"

namespace resist {
namespace {

constexpr std::string_view kProcessor = "cpu";
constexpr std::string_view kNumbered = "cuda:";

// Of "cuda:2"; the option's codec has checked it.
int number_of(const std::string& device) {
  int number = 0;
  std::from_chars(device.data() + kNumbered.size(), device.data() + device.size(), number);
  return number;
}

bool is_gpu(const std::string& device) {
  return device.starts_with(kNumbered);
}

}  // namespace

std::string choose_device(const std::string& asked, int worker) {
  if (asked != kProcessor && asked != "auto" && !built_for_cuda()) {
    throw InputError(fmt::format(
        "--device is {}, but this resist was built with a libtorch for processors only; build it with one for "
        "CUDA (docs/gpu.md), or give --device cpu",
        asked));
  }
  return choose_device(asked, worker, cuda_devices());
}

std::string choose_device(const std::string& asked, int worker, int gpus) {
  if (asked == kProcessor || asked == "auto") {
    return std::string(kProcessor);
  }
  if (gpus == 0) {
    throw InputError(
        fmt::format("--device is {}, but there is no GPU that this process can use; give --device cpu, or see what "
                    "`resist doctor` says of GPUs",
                    asked));
  }
  const int number = is_gpu(asked) ? number_of(asked) : worker % gpus;
  if (number >= gpus) {
    throw InputError(
        fmt::format("--device is {}, but the last GPU that this process can use is {}{}", asked, kNumbered, gpus - 1));
  }
  return fmt::format("{}{}", kNumbered, number);
}

void check_sharing(const std::string& device, int workers) {
  if (is_gpu(device) && workers > kMostCudaQueues) {
    throw InputError(
        fmt::format("{} workers that are threads can't share {}; allowed are {}: start workers that are "
                    "processes, or give --device cpu",
                    workers, device, kMostCudaQueues));
  }
}

bool multiplies_bf16(const std::string& device) {
  return is_gpu(device) ? cuda_multiplies_bf16(number_of(device)) : multiplies_bf16();
}

c10::Device open_device(const std::string& device) {
  if (is_gpu(device)) {
    at::globalContext().setAllowTF32CuDNN(false);
    at::globalContext().setAllowTF32CuBLAS(false);  // off unless an environment variable says otherwise
  }
  return c10::Device(device);
}

std::string device_in_words(const std::string& device) {
  return is_gpu(device) ? fmt::format("{} ({})", device, cuda_device_name(number_of(device))) : device;
}

}  // namespace resist
