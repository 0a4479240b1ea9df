#pragma once

#include <cstddef>

namespace resist {

// Zeroed memory straight from the kernel, in huge pages where it grants them; the kernel's again as soon as it is
// destroyed. For what is large and lives long, so that it leaves no holes between smaller things.
class Pages {
 public:
  explicit Pages(std::size_t bytes);  // Error where there is not as much
  ~Pages();
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_;
  void* data_ = nullptr;
};

}  // namespace resist
