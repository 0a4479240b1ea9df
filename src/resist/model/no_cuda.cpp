#include "resist/core/error.h"
#include "resist/model/cuda.h"

namespace resist {
namespace {

[[noreturn]] void refuse() {
  throw Error("this build's libtorch is for processors only; build with one for CUDA");
}

}  // namespace

struct CudaQueue::Impl {};

bool built_for_cuda() {
  return false;
}
int cuda_devices() {
  return 0;
}
std::string cuda_device_name(int /*device*/) {
  refuse();
}
bool cuda_multiplies_bf16(int /*device*/) {
  refuse();
}

CudaQueue::CudaQueue(int /*device*/) {
  refuse();
}
CudaQueue::~CudaQueue() = default;
void CudaQueue::run(const std::function<void()>& /*work*/) {
  refuse();
}
int CudaQueue::record(const std::function<void()>& /*work*/) {
  refuse();
}
void CudaQueue::replay(int /*recording*/) {
  refuse();
}
void CudaQueue::forget_recordings() {
  refuse();
}

}  // namespace resist
