#include "resist/tensorboard/record_file.h"

#include <cstddef>
#include <span>

#include "resist/core/hash.h"

namespace resist {
namespace {

constexpr std::size_t kSizeBytes = 8;
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kFrameBytes = kSizeBytes + 2 * kChecksumBytes;

void append_little_endian(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) {
    out += static_cast<char>(value >> (8 * i) & 0xFF);
  }
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

}  // namespace

std::uint32_t masked_crc32c(std::string_view bytes) {
  const std::uint32_t checksum = crc32c(std::as_bytes(std::span(bytes)));
  return (checksum >> 15 | checksum << 17) + 0xA282EAD8;
}

void append_record(std::string& out, std::string_view payload) {
  std::string size;
  append_little_endian(size, payload.size(), kSizeBytes);
  out += size;
  append_little_endian(out, masked_crc32c(size), kChecksumBytes);
  out += payload;
  append_little_endian(out, masked_crc32c(payload), kChecksumBytes);
}

std::optional<std::string_view> take_record(std::string_view& bytes) {
  if (bytes.size() < kFrameBytes) {
    return std::nullopt;
  }
  const std::string_view size_bytes = bytes.substr(0, kSizeBytes);
  const std::uint64_t size = little_endian(size_bytes);
  const std::uint64_t size_checksum = little_endian(bytes.substr(kSizeBytes, kChecksumBytes));
  if (size_checksum != masked_crc32c(size_bytes) || size > bytes.size() - kFrameBytes) {
    return std::nullopt;
  }
  const std::string_view payload = bytes.substr(kSizeBytes + kChecksumBytes, size);
  if (little_endian(bytes.substr(kSizeBytes + kChecksumBytes + size, kChecksumBytes)) != masked_crc32c(payload)) {
    return std::nullopt;
  }
  bytes.remove_prefix(kFrameBytes + size);
  return payload;
}

}  // namespace resist
