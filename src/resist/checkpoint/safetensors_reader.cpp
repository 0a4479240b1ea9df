#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <unordered_map>

#include "resist/checkpoint/safetensors.h"
#include "resist/checkpoint/safetensors_header.h"
#include "resist/core/error.h"
#include "resist/core/json_text.h"

namespace resist {

struct SafetensorsReader::Impl {
  explicit Impl(const std::filesystem::path& file_path)
      : path(file_path.string()),
        // Without O_NONBLOCK a pipe of that name would block for ever.
        descriptor(::open(file_path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor < 0) {
      throw InputError(fmt::format("can't open '{}': {}", path, system_message(errno)));
    }
  }
  ~Impl() { ::close(descriptor); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::int64_t size() const {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
      throw InputError(fmt::format("can't read '{}': it is not a regular file", path));
    }
    return status.st_size;
  }

  void read_at(std::int64_t offset, std::span<std::byte> bytes) const {
    while (!bytes.empty()) {
      const ssize_t got = ::pread(descriptor, bytes.data(), bytes.size(), offset);
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got <= 0) {
        throw InputError(fmt::format("can't read '{}' at byte {}: {}", path, offset,
                                     got < 0 ? system_message(errno) : "the file has become shorter"));
      }
      bytes = bytes.subspan(static_cast<std::size_t>(got));
      offset += got;
    }
  }

  std::string path;
  int descriptor;
  std::int64_t data_start = 0;
  SafetensorsHeader header;
  std::unordered_map<std::string, std::size_t> index;  // of a tensor in header.tensors, by name
};

SafetensorsReader::SafetensorsReader(const std::filesystem::path& path) : impl_(std::make_unique<Impl>(path)) {
  const std::int64_t file_bytes = impl_->size();
  const auto refuse = [&](const std::string& reason) {
    throw InputError(fmt::format("'{}' is not a usable safetensors file: {}", impl_->path, reason));
  };
  if (file_bytes < kSafetensorsLengthBytes) {
    refuse(fmt::format("it has {} bytes, at least {} are needed", file_bytes, kSafetensorsLengthBytes));
  }
  std::uint64_t length = 0;
  impl_->read_at(0, std::as_writable_bytes(std::span(&length, 1)));
  const std::int64_t limit = std::min(kSafetensorsMaxHeaderBytes, file_bytes - kSafetensorsLengthBytes);
  if (length > static_cast<std::uint64_t>(limit)) {
    refuse(fmt::format(
        "it promises a header of {} bytes, at most {} are possible here: it is damaged, or no safetensors file", length,
        limit));
  }
  std::string text(static_cast<std::size_t>(length), '\0');
  impl_->read_at(kSafetensorsLengthBytes, std::as_writable_bytes(std::span(text)));
  impl_->data_start = kSafetensorsLengthBytes + static_cast<std::int64_t>(length);
  impl_->header = parse_safetensors_header(text, file_bytes - impl_->data_start, impl_->path);
  for (std::size_t i = 0; i < impl_->header.tensors.size(); ++i) {
    impl_->index[impl_->header.tensors[i].name] = i;
  }
}

SafetensorsReader::SafetensorsReader(SafetensorsReader&&) noexcept = default;
SafetensorsReader& SafetensorsReader::operator=(SafetensorsReader&&) noexcept = default;
SafetensorsReader::~SafetensorsReader() = default;

const std::vector<TensorSpec>& SafetensorsReader::tensors() const {
  return impl_->header.tensors;
}

const std::map<std::string, std::string>& SafetensorsReader::metadata() const {
  return impl_->header.metadata;
}

void SafetensorsReader::read(const std::string& name, std::span<float> values) const {
  const auto found = impl_->index.find(name);
  if (found == impl_->index.end()) {
    throw InputError(fmt::format("'{}' has no tensor {}", impl_->path, in_quotes(name)));
  }
  const std::int64_t bytes = tensor_bytes(impl_->header.tensors[found->second].shape);
  if (bytes != static_cast<std::int64_t>(values.size_bytes())) {
    throw InputError(fmt::format("tensor {} of '{}' has {} bytes, {} are expected", in_quotes(name), impl_->path, bytes,
                                 values.size_bytes()));
  }
  impl_->read_at(impl_->data_start + impl_->header.offsets[found->second], std::as_writable_bytes(values));
}

}  // namespace resist
