#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "resist/checkpoint/safetensors.h"

namespace resist {

// The safetensors format: 8 bytes, little-endian, that hold the length of the header; the header, JSON, padded with
// spaces so that the data starts at a multiple of 8; the tensors' data without holes.
inline constexpr std::int64_t kSafetensorsLengthBytes = 8;
inline constexpr std::int64_t kSafetensorsMaxHeaderBytes = 100'000'000;  // as the reference implementation has it

struct SafetensorsHeader {
  std::vector<TensorSpec> tensors;    // in the order of their data
  std::vector<std::int64_t> offsets;  // of each, in bytes from the start of the data
  std::map<std::string, std::string> metadata;
  std::int64_t data_bytes = 0;
};

// The bytes a float32 tensor takes, or -1 if a dimension is negative or the product overflows.
std::int64_t tensor_bytes(const std::vector<std::int64_t>& shape);

// The start of a file, up to the data. Error if the tensors can't be written (a name twice, an impossible shape).
std::string format_safetensors_header(const std::vector<TensorSpec>& tensors,
                                      const std::map<std::string, std::string>& metadata);

// Parses the JSON text of a header, padding included, of a file with `data_bytes` bytes after it. InputError says what
// is wrong, naming `file`. Memory is proportional to the text, whatever the text says.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::int64_t data_bytes, const std::string& file);

}  // namespace resist
