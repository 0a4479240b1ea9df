#pragma once

#include <cstdint>
#include <filesystem>
#include <numeric>
#include <string>

#include "resist/data/packed_format.h"
#include "resist/data/packed_writer.h"

namespace resist {

// Of 12 training and 3 test pictures in colour, of 4 x 5 pixels.
inline PackedHeader sample_header() {
  return {.name = "things",
          .storage = PackStorage::pixels,
          .format = {.channels = 3, .height = 4, .width = 5},
          .mean = {0.5F, 0.25F, 0},
          .stddev = {0.125F, 1, 0.1F},
          .classes = {"a", "\xc3\xa9", "c d"},
          .parts = {{"train", 12}, {"test", 3}}};
}

// Pixels i, i + 1, ...; so every sample can be told from the others.
inline std::string sample_pixels(int sample) {
  std::string pixels(60, '\0');
  std::iota(pixels.begin(), pixels.end(), static_cast<char>(sample));
  return pixels;
}

// Sample i has the label i % 3 and the name "picture i".
inline void write_samples(const std::filesystem::path& path, const PackedHeader& header = sample_header()) {
  PackedWriter writer(path);
  int sample = 0;
  for (const auto& [name, count] : header.parts) {
    for (std::int64_t i = 0; i < count; ++i, ++sample) {
      writer.add(sample_pixels(sample), static_cast<std::uint32_t>(sample % 3), "picture " + std::to_string(sample));
    }
  }
  writer.end_samples(header);
  writer.finish(header);
}

}  // namespace resist
