#include "resist/core/pages.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "resist/core/error.h"

namespace resist {

Pages::Pages(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) {
    return;
  }
  data_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data_ == MAP_FAILED) {
    throw Error(fmt::format("there is no memory for {} MB: {}", bytes / 1'000'000, std::strerror(errno)));
  }
  ::madvise(data_, bytes, MADV_HUGEPAGE);  // a wish: without it everything works, slower
}

Pages::~Pages() {
  if (data_ != nullptr) {
    ::munmap(data_, bytes_);
  }
}

}  // namespace resist
