#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace resist {

// A regular file mapped into memory to be read; processes that map the same one share its pages. Safe for several
// threads.
class MappedFile {
 public:
  // InputError if there is no such file, or it can't be read or mapped.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // When it was opened.
  std::uint64_t size() const { return size_; }

  // These bytes of it, which live as long as this. InputError if they lie beyond its end, also where somebody has made
  // it shorter since it was opened. Making it shorter while such bytes are being looked at ends the process (SIGBUS):
  // nothing can be done against that but to leave files in use alone.
  std::string_view bytes(std::uint64_t offset, std::uint64_t count) const;

  // Bytes will be needed in no order: the kernel reads none ahead, so will_need() should say which come next.
  void expect_random_access() const;
  // Starts reading these bytes from the disk, in one go. Ignored where the file has none.
  void will_need(std::uint64_t offset, std::uint64_t count) const;

 private:
  std::filesystem::path path_;
  int descriptor_;
  std::uint64_t size_ = 0;
  void* data_ = nullptr;  // null: empty
};

}  // namespace resist
