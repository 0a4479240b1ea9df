#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "resist/core/mapped_file.h"
#include "resist/data/packed_format.h"

namespace resist {

// The samples of a packed file that is mapped into memory, all parts in one row. Safe for several threads.
class PackedFile {
 public:
  // `file` holds samples, index and names as `preamble` and `header` say.
  PackedFile(std::unique_ptr<const MappedFile> file, const PackedPreamble& preamble, PackedHeader header);

  const std::filesystem::path& path() const { return file_->path(); }
  const PackedHeader& header() const { return header_; }
  std::int64_t bytes() const { return static_cast<std::int64_t>(preamble_.file_bytes); }
  std::int64_t size() const { return static_cast<std::int64_t>(preamble_.index_bytes / kPackedEntryBytes); }

  std::uint32_t label(std::int64_t index) const { return entry(index).label; }
  // Its path in the source, as the file has it: any bytes but zero.
  std::string name(std::int64_t index) const;
  // As it is stored. InputError, which leaves naming the sample to the caller, if its checksum is wrong.
  std::string_view stored(std::int64_t index) const;
  // As Dataset::read, for an input of this format, which has as many channels as pixels that are stored, or more.
  // InputError, which names the sample, if it is damaged or can't become such an input.
  std::span<const std::uint8_t> read(std::int64_t index, const Framing& framing, const PictureFormat& input,
                                     std::span<std::uint8_t> buffer) const;

 private:
  // InputError if it can't be one: somebody has written into the file since it was opened.
  PackedEntry entry(std::int64_t index) const;

  std::unique_ptr<const MappedFile> file_;
  PackedPreamble preamble_;
  PackedHeader header_;
};

// Maps a packed file and checks everything but the samples' bytes. InputError names it and what is wrong.
std::shared_ptr<const PackedFile> open_packed_file(const std::filesystem::path& path);

}  // namespace resist
