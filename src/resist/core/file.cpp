#include "resist/core/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <utility>

#include "resist/core/error.h"

namespace resist {
namespace {

[[noreturn]] void fail(std::string_view operation, const std::filesystem::path& path) {
  throw Error(fmt::format("can't {} '{}': {}", operation, path.string(), system_message(errno)));
}

}  // namespace

OutputFile::OutputFile(const std::filesystem::path& path)
    : path_(path), descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) {
    fail("create", path_);
  }
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

void OutputFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      fail("write", path_);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void OutputFile::write(std::string_view text) {
  write(std::as_bytes(std::span(text)));
}

void OutputFile::write_over(std::int64_t offset, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::pwrite(descriptor_, text.data(), text.size(), offset);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      fail("write", path_);
    }
    text.remove_prefix(static_cast<std::size_t>(written));
    offset += written;
  }
}

void OutputFile::sync_and_close() {
  if (::fsync(descriptor_) != 0) {
    fail("sync", path_);
  }
  if (::close(std::exchange(descriptor_, -1)) != 0) {
    fail("close", path_);
  }
}

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream || std::filesystem::is_directory(path)) {
    throw InputError(
        fmt::format("can't read '{}': {}", path.string(),
                    std::filesystem::exists(path) ? "it is not a readable file" : "there is no such file"));
  }
  std::string text;
  char buffer[1 << 16];
  while (stream.read(buffer, sizeof buffer) || stream.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(stream.gcount()));
    if (text.size() > limit) {
      throw InputError(fmt::format("'{}' is too large: at most {} bytes are allowed", path.string(), limit));
    }
  }
  return text;
}

void replace_file(const std::filesystem::path& path, const std::function<void(const std::filesystem::path&)>& write) {
  std::filesystem::path beside = path;
  beside += ".tmp";
  try {
    write(beside);
    if (::rename(beside.c_str(), path.c_str()) != 0) {
      fail("rename into place", path);
    }
    sync_folder(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(beside, ignored);
    throw;
  }
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  replace_file(path, [&](const std::filesystem::path& beside) {
    OutputFile file(beside);
    file.write(text);
    file.sync_and_close();
  });
}

void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    fail("open folder", folder);
  }
  const int result = ::fsync(descriptor);
  ::close(descriptor);
  if (result != 0) {
    fail("sync folder", folder);
  }
}

}  // namespace resist
