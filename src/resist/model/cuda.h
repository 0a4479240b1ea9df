#pragma once

#include <functional>
#include <memory>
#include <string>

namespace resist {

// What resist asks of CUDA beside libtorch's operations (cuda.cpp). Where libtorch is one for processors only there are
// no GPUs (no_cuda.cpp).

// Most queues that a process has on one GPU: libtorch's pool of streams hands out the first one again after that.
inline constexpr int kMostCudaQueues = 32;

// Whether this build's libtorch is one for CUDA.
bool built_for_cuda();

// GPUs that this process can use.
int cuda_devices();

// As its driver calls it.
std::string cuda_device_name(int device);

// Whether the GPU has instructions that multiply bf16 (compute capability 8.0, Ampere, and later).
bool cuda_multiplies_bf16(int device);

// Work for one GPU, in the order it is given: a stream of its own, so that several workers of a process share a GPU.
// Work can be recorded once and replayed (a CUDA graph): a local iteration is thousands of small kernels, and starting
// them one by one takes longer than they do. For one thread at a time.
class CudaQueue {
 public:
  explicit CudaQueue(int device);
  ~CudaQueue();
  CudaQueue(const CudaQueue&) = delete;
  CudaQueue& operator=(const CudaQueue&) = delete;

  // Calls `work`; the kernels that it starts, also from other threads by autograd, queue here.
  void run(const std::function<void()>& work);
  // The same, but kernels are recorded and not executed. Tensors that the work makes keep their place in memory as long
  // as the recording is kept. Returns its number. The work must not wait for the GPU.
  int record(const std::function<void()>& work);
  // Executes a recording, on what its tensors hold now. Recordings whose work goes on from one another's are replayed
  // in the order in which they were recorded.
  void replay(int recording);
  void forget_recordings();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resist
