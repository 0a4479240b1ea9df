#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace resist {

// A file being written. Every call throws Error with the path and the system's reason (disk full, no permission).
class OutputFile {
 public:
  // Creates or empties `path`.
  explicit OutputFile(const std::filesystem::path& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  // Everything written is on the disk when this returns. Must be called; a destroyed file only closes.
  void sync_and_close();

 private:
  std::filesystem::path path_;
  int descriptor_;
};

// The whole file. InputError if it can't be read or is larger than `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 30);

// Replaces `path` by a file with this text: written beside, synced, renamed into place. Never half a file.
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

// Makes a rename or a new file inside `folder` durable.
void sync_folder(const std::filesystem::path& folder);

}  // namespace resist
