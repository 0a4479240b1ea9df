#include <fmt/format.h>

#include <bit>
#include <utility>

#include "resist/checkpoint/safetensors.h"
#include "resist/checkpoint/safetensors_header.h"
#include "resist/core/error.h"
#include "resist/core/file.h"
#include "resist/core/hash.h"

namespace resist {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

struct SafetensorsWriter::Impl {
  explicit Impl(std::filesystem::path file_path) : path(std::move(file_path)), file(path) {}

  void write(std::span<const std::byte> data) {
    file.write(data);
    hasher.update(data);
    bytes += static_cast<std::int64_t>(data.size());
  }

  void flush() {
    write(buffer);
    buffer.clear();
  }

  std::filesystem::path path;
  OutputFile file;
  Hasher hasher;
  std::vector<std::byte> buffer;  // small pieces gathered, so that each is not a system call
  std::int64_t bytes = 0;
  std::int64_t bytes_missing = 0;
  bool usable = true;  // false once something failed or all is written
};

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path, const std::vector<TensorSpec>& tensors,
                                     const std::map<std::string, std::string>& metadata) {
  std::string header;
  try {
    header = format_safetensors_header(tensors, metadata);
  } catch (const Error& error) {
    throw Error(fmt::format("can't write '{}': {}", path.string(), error.what()));
  }
  impl_ = std::make_unique<Impl>(path);
  for (const TensorSpec& tensor : tensors) {
    impl_->bytes_missing += tensor_bytes(tensor.shape);
  }
  impl_->write(std::as_bytes(std::span(header)));
}

SafetensorsWriter::~SafetensorsWriter() = default;

void SafetensorsWriter::append(std::span<const float> values) {
  constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
  const auto data = std::as_bytes(values);
  if (!std::exchange(impl_->usable, false)) {
    throw Error(fmt::format("can't write '{}': writing it failed before or it is finished", impl_->path.string()));
  }
  if (static_cast<std::int64_t>(data.size()) > impl_->bytes_missing) {
    throw Error(fmt::format("can't write '{}': {} bytes of values came where {} are left", impl_->path.string(),
                            data.size(), impl_->bytes_missing));
  }
  if (impl_->buffer.size() + data.size() > kBufferBytes) {
    impl_->flush();
  }
  if (data.size() >= kBufferBytes) {
    impl_->write(data);
  } else {
    impl_->buffer.insert(impl_->buffer.end(), data.begin(), data.end());
  }
  impl_->bytes_missing -= static_cast<std::int64_t>(data.size());
  impl_->usable = true;
}

PartDigest SafetensorsWriter::finish() {
  if (!std::exchange(impl_->usable, false) || impl_->bytes_missing > 0) {
    throw Error(fmt::format("can't finish '{}': {} bytes of values are missing, or writing it failed before",
                            impl_->path.string(), impl_->bytes_missing));
  }
  impl_->flush();
  impl_->file.sync_and_close();
  return {impl_->bytes, impl_->hasher.digest()};
}

}  // namespace resist
