#include "resist/model/cuda.h"

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <exception>
#include <mutex>
#include <vector>

namespace resist {
namespace {

// What libtorch keeps of recordings that are made or dropped is the process's, and not guarded.
std::mutex& recording_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

struct CudaQueue::Impl {
  explicit Impl(int device)
      : stream(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, static_cast<c10::DeviceIndex>(device))) {}

  c10::cuda::CUDAStream stream;
  at::cuda::MempoolId_t pool = at::cuda::graph_pool_handle();
  std::vector<std::unique_ptr<at::cuda::CUDAGraph>> recordings;
};

bool built_for_cuda() {
  return true;
}

int cuda_devices() {
  return c10::cuda::device_count();
}

std::string cuda_device_name(int device) {
  cudaDeviceProp properties{};
  C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
  return static_cast<const char*>(properties.name);
}

bool cuda_multiplies_bf16(int device) {
  constexpr int kAmpere = 8;
  int major = 0;
  C10_CUDA_CHECK(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
  return major >= kAmpere;
}

CudaQueue::CudaQueue(int device) : impl_(std::make_unique<Impl>(device)) {
}

CudaQueue::~CudaQueue() {
  const std::lock_guard lock(recording_mutex());
  impl_->recordings.clear();
}

void CudaQueue::run(const std::function<void()>& work) {
  const c10::cuda::CUDAStreamGuard here(impl_->stream);
  work();
}

int CudaQueue::record(const std::function<void()>& work) {
  const std::lock_guard lock(recording_mutex());
  auto recording = std::make_unique<at::cuda::CUDAGraph>();
  run([&] {
    // What was kept for kernels outside of recordings can't be taken back while one is made.
    impl_->stream.synchronize();
    c10::cuda::CUDACachingAllocator::emptyCache();
    // Other workers of this process go on meanwhile.
    recording->capture_begin(impl_->pool, cudaStreamCaptureModeThreadLocal);
    std::exception_ptr failure;
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
    try {
      recording->capture_end();
    } catch (...) {
      failure = failure ? failure : std::current_exception();
    }
    if (failure) {
      std::rethrow_exception(failure);
    }
  });
  impl_->recordings.push_back(std::move(recording));
  return static_cast<int>(impl_->recordings.size()) - 1;
}

void CudaQueue::replay(int recording) {
  run([&] { impl_->recordings.at(static_cast<std::size_t>(recording))->replay(); });
}

void CudaQueue::forget_recordings() {
  const std::lock_guard lock(recording_mutex());
  impl_->stream.synchronize();
  impl_->recordings.clear();
  impl_->pool = at::cuda::graph_pool_handle();
}

}  // namespace resist
