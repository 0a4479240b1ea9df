#include "resist/data/inflating_file.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>

#include "resist/core/error.h"

namespace resist {
namespace {

constexpr std::uint64_t kLargestRatio = 1032;  // of deflate: inflated bytes per byte
constexpr std::size_t kChunk = std::size_t{1} << 20;

std::uint64_t size_of_file(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    throw InputError(fmt::format("can't read '{}': {}", path.string(),
                                 error ? error.message() : std::string("it is not a regular file")));
  }
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (error) {
    throw InputError(fmt::format("can't read '{}': {}", path.string(), error.message()));
  }
  return size;
}

// zlib's messages open with the path, which ours name already.
std::string without_path(const std::string& message, const std::filesystem::path& path) {
  const std::string prefix = path.string() + ": ";
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

}  // namespace

InflatingFile::InflatingFile(const std::filesystem::path& path)
    : path_(path), bytes_on_disk_(size_of_file(path)), file_(gzopen(path.c_str(), "rbe")) {
  if (file_ == nullptr) {
    throw InputError(fmt::format("can't read '{}': {}", path_.string(), system_message(errno)));
  }
}

InflatingFile::~InflatingFile() {
  gzclose(static_cast<gzFile>(file_));
}

std::size_t InflatingFile::read_some(std::span<std::uint8_t> out) {
  auto* file = static_cast<gzFile>(file_);
  const int got = gzread(file, out.data(), static_cast<unsigned>(out.size()));
  int code = Z_OK;
  const char* message = gzerror(file, &code);
  // A file that ends inside its gzip stream gives the bytes before and then Z_BUF_ERROR.
  if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
    throw InputError(fmt::format("'{}' is damaged or cut short ({}): get the file anew", path_.string(),
                                 code == Z_ERRNO ? system_message(errno) : without_path(message, path_)));
  }
  bytes_read_ += static_cast<std::uint64_t>(got);
  return static_cast<std::size_t>(got);
}

void InflatingFile::read(std::span<std::uint8_t> out) {
  if (read_some(out) != out.size()) {
    throw InputError(fmt::format("'{}' is cut short: it holds {} bytes, too few for its header; get the file anew",
                                 path_.string(), bytes_read_));
  }
}

void InflatingFile::check_promise(std::uint64_t size) const {
  const std::uint64_t promised = bytes_read_ + size;
  const bool plain = gzdirect(static_cast<gzFile>(file_)) == 1;
  if (plain && promised != bytes_on_disk_) {
    throw InputError(fmt::format("'{}' has {} bytes but its header promises {}: get the file anew", path_.string(),
                                 bytes_on_disk_, promised));
  }
  if (!plain && promised / kLargestRatio > bytes_on_disk_) {
    throw InputError(
        fmt::format("'{}' is cut short: its header promises {} bytes, its {} compressed ones can hold at "
                    "most {}; get the file anew",
                    path_.string(), promised, bytes_on_disk_, bytes_on_disk_ * kLargestRatio));
  }
}

std::vector<std::uint8_t> InflatingFile::read_rest(std::uint64_t size) {
  check_promise(size);
  const std::uint64_t promised = bytes_read_ + size;
  std::vector<std::uint8_t> bytes;
  while (bytes.size() < size) {
    const std::size_t before = bytes.size();
    const std::size_t wanted = std::min<std::uint64_t>(kChunk, size - before);
    bytes.resize(before + wanted);
    if (read_some(std::span(bytes).subspan(before)) != wanted) {
      throw InputError(fmt::format("'{}' is cut short: it holds {} bytes but its header promises {}; get the file anew",
                                   path_.string(), bytes_read_, promised));
    }
  }
  std::uint8_t extra = 0;
  if (read_some(std::span(&extra, 1)) != 0) {
    throw InputError(fmt::format("'{}' holds more than the {} bytes that its header promises: get the file anew",
                                 path_.string(), promised));
  }
  return bytes;
}

}  // namespace resist
