#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace resist {

using Bytes = std::vector<std::uint8_t>;

inline void write_bytes(const std::filesystem::path& path, const Bytes& bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(stream.good());
}

inline void write_gzip(const std::filesystem::path& path, const Bytes& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_EQ(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())), static_cast<int>(bytes.size()));
  ASSERT_EQ(gzclose(file), Z_OK);
}

inline Bytes read_bytes(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(stream), {});
}

inline void append_big_endian(Bytes& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

// Pixel i of the file has the value i % 251, so no two pictures in a row are the same.
inline Bytes idx_images(std::uint32_t count, std::uint32_t height, std::uint32_t width) {
  Bytes bytes;
  for (const std::uint32_t value : {0x803U, count, height, width}) {
    append_big_endian(bytes, value);
  }
  for (std::uint32_t i = 0; i < count * height * width; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(i % 251));
  }
  return bytes;
}

// Label i is (i + 1) % 10.
inline Bytes idx_labels(std::uint32_t count) {
  Bytes bytes;
  append_big_endian(bytes, 0x801);
  append_big_endian(bytes, count);
  for (std::uint32_t i = 0; i < count; ++i) {
    bytes.push_back(static_cast<std::uint8_t>((i + 1) % 10));
  }
  return bytes;
}

// A good set of 12 training and 5 test pictures of 3 x 4 pixels.
inline void write_idx_set(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  write_bytes(folder / "train-images-idx3-ubyte", idx_images(12, 3, 4));
  write_bytes(folder / "train-labels-idx1-ubyte", idx_labels(12));
  write_gzip(folder / "t10k-images-idx3-ubyte.gz", idx_images(5, 3, 4));
  write_gzip(folder / "t10k-labels-idx1-ubyte.gz", idx_labels(5));
}

}  // namespace resist
