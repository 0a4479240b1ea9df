#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace resist {

// A file read from its start, inflated on the way if it is gzip, whatever its name. Every InputError names the file.
class InflatingFile {
 public:
  explicit InflatingFile(const std::filesystem::path& path);
  ~InflatingFile();
  InflatingFile(const InflatingFile&) = delete;
  InflatingFile& operator=(const InflatingFile&) = delete;

  // Fills `out`; InputError if the file ends before.
  void read(std::span<std::uint8_t> out);
  // The rest of the file, which must be `size` bytes: refused if the file can't hold them or holds more. Memory grows
  // with what the file really holds; at most size + 1 bytes are inflated.
  std::vector<std::uint8_t> read_rest(std::uint64_t size);

 private:
  std::size_t read_some(std::span<std::uint8_t> out);
  void check_promise(std::uint64_t size) const;

  std::filesystem::path path_;
  std::uint64_t bytes_on_disk_;
  std::uint64_t bytes_read_ = 0;
  void* file_;  // zlib's gzFile, which is a pointer to a private struct
};

}  // namespace resist
