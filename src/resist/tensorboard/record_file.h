#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace resist {

// TFRecord, the framing of TensorBoard's event files. A record is its payload's size (8 bytes, little-endian), the
// masked CRC-32C of these 8 bytes, the payload, and the payload's masked CRC-32C (4 bytes each).

// CRC-32C, rotated by 15 bits and moved by a constant, so that a checksum of bytes that hold a checksum is no special
// case.
std::uint32_t masked_crc32c(std::string_view bytes);

// Appends the record with this payload to `out`.
void append_record(std::string& out, std::string_view payload);

// Takes the first record off `bytes` and gives its payload. Nothing, and `bytes` as it was, where they do not begin
// with a whole record with the right checksums.
std::optional<std::string_view> take_record(std::string_view& bytes);

}  // namespace resist
