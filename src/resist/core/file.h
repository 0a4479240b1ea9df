#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
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
  // Over the bytes written at `offset` before; what is written next still goes to the end.
  void write_over(std::int64_t offset, std::string_view text);
  // Everything written is on the disk when this returns. Must be called; a destroyed file only closes.
  void sync_and_close();

 private:
  std::filesystem::path path_;
  int descriptor_;
};

// The whole file. InputError if it can't be read or is larger than `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 30);

// Replaces `path` by the file that write(beside) writes and syncs beside it, by renaming: never half a file. Where it
// throws, what it has written is removed and `path` stays as it was.
void replace_file(const std::filesystem::path& path, const std::function<void(const std::filesystem::path&)>& write);

// The same for a file with this text.
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

// Makes a rename or a new file inside `folder` durable.
void sync_folder(const std::filesystem::path& folder);

}  // namespace resist
