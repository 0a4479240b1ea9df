#pragma once

#include <string>

namespace c10 {
struct Device;
}

namespace resist {

// What `--device asked` means: "cpu", or "cuda:2". auto: the processor, as long as nobody has tried GPUs. Where no
// number is given, workers take the GPUs in turn, by their ranks. InputError where the GPU that is asked for is not
// there.
std::string choose_device(const std::string& asked, int worker);

// The same with this many GPUs. Pure.
std::string choose_device(const std::string& asked, int worker, int gpus);

// InputError where it is a GPU that so many workers of one process can't share.
void check_sharing(const std::string& device, int workers);

// Whether the device has instructions that multiply bf16.
bool multiplies_bf16(const std::string& device);

// The device for libtorch, ready to compute on: float32 is float32 there, which on a GPU is not libtorch's default
// (TensorFloat-32 convolutions).
c10::Device open_device(const std::string& device);

// For a log: "cpu", "cuda:0 (NVIDIA H200)".
std::string device_in_words(const std::string& device);

}  // namespace resist
