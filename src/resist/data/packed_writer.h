#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "resist/core/file.h"
#include "resist/data/packed_file.h"
#include "resist/data/packed_format.h"

namespace resist {

// Writes a packed file, which nobody takes for one before it is finished. Holds index and names in memory. Error if it
// can't be written.
class PackedWriter {
 public:
  // Creates or empties `path`.
  explicit PackedWriter(const std::filesystem::path& path);

  void add(std::string_view sample, std::uint32_t label, std::string_view name);
  // After the last sample: what was added, to be read back. Of `header`, format, storage, classes and parts count.
  std::shared_ptr<const PackedFile> end_samples(const PackedHeader& header);
  // After end_samples(). The file is on the disk when this returns. Its size in bytes.
  std::uint64_t finish(const PackedHeader& header);

 private:
  std::filesystem::path path_;
  OutputFile file_;
  PackedPreamble preamble_;
  std::uint64_t end_ = kPackedPreambleBytes;  // of the samples
  std::string index_;                         // afterwards also the names: what the checksum covers
  std::string names_;
};

}  // namespace resist
