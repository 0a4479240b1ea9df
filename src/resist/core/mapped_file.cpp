#include "resist/core/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "resist/core/error.h"

namespace resist {
namespace {

// -1: not a regular file.
std::int64_t file_size(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : -1;
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path)
    : path_(path),
      // Without O_NONBLOCK a pipe of that name would block for ever.
      descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (descriptor_ < 0) {
    throw InputError(fmt::format("can't read '{}': {}", path_.string(), system_message(errno)));
  }
  const std::int64_t size = file_size(descriptor_);
  if (size > 0) {
    size_ = static_cast<std::uint64_t>(size);
    data_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor_, 0);
  }
  if (size < 0 || data_ == MAP_FAILED) {
    const int reason = errno;
    ::close(descriptor_);
    throw InputError(fmt::format("can't read '{}': {}", path_.string(),
                                 size < 0 ? "it is not a regular file" : system_message(reason)));
  }
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) {
    ::munmap(data_, size_);
  }
  ::close(descriptor_);
}

std::string_view MappedFile::bytes(std::uint64_t offset, std::uint64_t count) const {
  const std::int64_t size_now = file_size(descriptor_);
  if (size_now < static_cast<std::int64_t>(size_)) {
    throw InputError(fmt::format("'{}' has become shorter since it was opened: {} bytes of {} are left", path_.string(),
                                 size_now, size_));
  }
  if (offset > size_ || count > size_ - offset) {
    throw InputError(
        fmt::format("'{}' has {} bytes: {} at byte {} are beyond its end", path_.string(), size_, count, offset));
  }
  return {static_cast<const char*>(data_) + offset, count};
}

void MappedFile::expect_random_access() const {
  if (data_ != nullptr) {
    ::madvise(data_, size_, MADV_RANDOM);  // a wish: without it everything works, slower
  }
}

void MappedFile::will_need(std::uint64_t offset, std::uint64_t count) const {
  if (offset < size_) {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t start = offset / page * page;
    const std::uint64_t length = std::min(count, size_ - offset) + (offset - start);
    ::madvise(static_cast<char*>(data_) + start, length, MADV_WILLNEED);  // a wish too
  }
}

}  // namespace resist
