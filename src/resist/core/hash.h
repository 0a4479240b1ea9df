#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace resist {

// Incremental XXH3 (128 bits) for checksums and for comparing configurations. Not for security.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  void update(std::span<const std::byte> bytes);
  // 32 lower-case hexadecimal digits of everything seen so far.
  std::string digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A Hasher's digest of these alone.
std::string hash_text(std::string_view text);
std::string hash_values(std::span<const float> values);

// CRC-32C (Castagnoli), as in RFC 3720, of `bytes` behind others that have the checksum `before`. At the speed of
// memory.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

// XXH3, 64 bits: the checksum of one of very many small things.
std::uint64_t hash_64(std::string_view bytes);

}  // namespace resist
