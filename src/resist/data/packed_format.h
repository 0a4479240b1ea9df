#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "resist/data/packed.h"
#include "resist/data/picture.h"

namespace resist {

// The pieces of a packed file (packed.h) as bytes: written, and read without believing them. Every InputError names
// `file`, which is the file's path.

inline constexpr std::uint64_t kPackedPreambleBytes = 64;
inline constexpr std::uint64_t kMostPackedHeaderBytes = std::uint64_t{1} << 24;
inline constexpr std::string_view kPackedMagic = "RESISTPK";

struct PackedPreamble {
  std::uint64_t file_bytes = 0;
  std::uint64_t index_offset = 0;
  std::uint64_t index_bytes = 0;
  std::uint64_t header_offset = 0;
  std::uint64_t header_bytes = 0;
  std::uint64_t checksum = 0;  // of everything from the index on

  std::uint64_t names_offset() const { return index_offset + index_bytes; }
  std::uint64_t names_bytes() const { return header_offset - names_offset(); }
};

struct PackedEntry {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;
  std::uint32_t label = 0;
  std::uint32_t name = 0;  // where it starts in the names
};
inline constexpr std::uint64_t kPackedEntryBytes = sizeof(PackedEntry);

struct PackedHeader {
  std::string name;
  PackStorage storage = PackStorage::files;  // never automatic
  PictureFormat format;                      // of every picture; height and width 0: their sizes differ
  std::vector<float> mean;
  std::vector<float> stddev;
  std::vector<std::string> classes;
  std::vector<std::pair<std::string, std::int64_t>> parts;  // name and samples

  // Of one sample stored as pixels.
  std::uint64_t picture_bytes() const {
    return static_cast<std::uint64_t>(format.channels) * static_cast<std::uint64_t>(format.height) *
           static_cast<std::uint64_t>(format.width);
  }
};

std::string format_packed_preamble(const PackedPreamble& preamble);
// `bytes`: the file's first 64, or all it has. Afterwards index, names and header lie one after another behind the
// preamble and up to `file_bytes`, the file's size.
PackedPreamble parse_packed_preamble(std::string_view bytes, std::uint64_t file_bytes, const std::string& file);

// InputError, which names no file, if a name is not one line of UTF-8 or all are longer than kMostPackedHeaderBytes.
std::string format_packed_header(const PackedHeader& header);
// Afterwards every part has samples, and each number is one that can be.
PackedHeader parse_packed_header(std::string_view text, const std::string& file);

void append_packed_entry(std::string& index, const PackedEntry& entry);
// Entry `sample` of an index that has it.
PackedEntry packed_entry(std::string_view index, std::uint64_t sample);

// Why this entry can't be one of the file's, or an empty text.
std::string packed_entry_fault(const PackedEntry& entry, const PackedPreamble& preamble, const PackedHeader& header);

// The index has as many entries as the parts have samples, each without fault, ascending and without overlap, and the
// names end where they should.
void check_packed_index(std::string_view index, std::string_view names, const PackedPreamble& preamble,
                        const PackedHeader& header, const std::string& file);

}  // namespace resist
