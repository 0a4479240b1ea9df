#include "resist/model/convolution_parts.h"

#include <optional>

#include "resist/core/pages.h"

namespace resist {

at::Tensor convolution_memory(std::int64_t size, at::ScalarType type) {
  const std::size_t bytes = static_cast<std::size_t>(size) * c10::elementSize(type);
  thread_local std::optional<Pages> pages;
  if (!pages || pages->bytes() < bytes) {
    pages.reset();
    pages.emplace(bytes);
  }
  return at::from_blob(pages->data(), {size}, type);
}

at::Tensor library_convolution(const at::Tensor& x, const at::Tensor& weight, int stride) {
  return at::conv2d(x, weight.to(x.scalar_type()), {}, stride, /*padding=*/weight.size(2) / 2,
                    /*dilation=*/1, /*groups=*/x.size(1) / weight.size(1));
}

}  // namespace resist
