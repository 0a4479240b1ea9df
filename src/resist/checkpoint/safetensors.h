#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace resist {

// Name and shape of one float32 tensor.
struct TensorSpec {
  std::string name;
  std::vector<std::int64_t> shape;
};

// Size and checksum (core/hash.h) of a finished file, for the manifest.
struct PartDigest {
  std::int64_t bytes = 0;
  std::string checksum;
};

// Writes a safetensors file (float32, tensors in the given order) as a stream: values come in pieces of any size, in
// order, so nothing is ever held whole. Throws Error (disk full and the like) with the path.
class SafetensorsWriter {
 public:
  SafetensorsWriter(const std::filesystem::path& path, const std::vector<TensorSpec>& tensors,
                    const std::map<std::string, std::string>& metadata = {});
  ~SafetensorsWriter();
  SafetensorsWriter(const SafetensorsWriter&) = delete;
  SafetensorsWriter& operator=(const SafetensorsWriter&) = delete;

  // Error if more values come than the header promises. After an Error the writer only refuses.
  void append(std::span<const float> values);
  // On disk when this returns. Error if fewer values came than the header promises. Called once.
  PartDigest finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Reads a safetensors file. The constructor checks the whole header (InputError, one line: header size, JSON, dtype,
// shapes, offsets that overlap, leave holes or leave the file, duplicate keys), so hostile files are refused before
// anything is allocated by their word. Only F32 tensors are accepted.
class SafetensorsReader {
 public:
  explicit SafetensorsReader(const std::filesystem::path& path);
  ~SafetensorsReader();
  SafetensorsReader(SafetensorsReader&& other) noexcept;
  SafetensorsReader& operator=(SafetensorsReader&& other) noexcept;

  const std::vector<TensorSpec>& tensors() const;  // in the order of their offsets
  const std::map<std::string, std::string>& metadata() const;
  // Fills `values` with the tensor `name`; InputError if there is none or its size differs. Several threads may read.
  void read(const std::string& name, std::span<float> values) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resist
