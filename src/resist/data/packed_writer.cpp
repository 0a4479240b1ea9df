#include "resist/data/packed_writer.h"

#include <fmt/format.h>

#include <limits>

#include "resist/core/error.h"
#include "resist/core/hash.h"

namespace resist {

PackedWriter::PackedWriter(const std::filesystem::path& path) : path_(path), file_(path) {
  file_.write(std::string(kPackedPreambleBytes, '\0'));  // the preamble comes last
}

void PackedWriter::add(std::string_view sample, std::uint32_t label, std::string_view name) {
  if (names_.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw InputError("the pictures' names take more than 4 GiB: pack fewer pictures");
  }
  file_.write(sample);
  append_packed_entry(index_, {.offset = end_,
                               .bytes = sample.size(),
                               .checksum = hash_64(sample),
                               .label = label,
                               .name = static_cast<std::uint32_t>(names_.size())});
  names_ += name;
  names_ += '\0';
  end_ += sample.size();
}

std::shared_ptr<const PackedFile> PackedWriter::end_samples(const PackedHeader& header) {
  preamble_.index_offset = end_;
  preamble_.index_bytes = index_.size();
  preamble_.header_offset = end_ + index_.size() + names_.size();
  index_ += names_;
  names_ = {};
  file_.write(index_);
  return std::make_shared<const PackedFile>(std::make_unique<const MappedFile>(path_), preamble_, header);
}

std::uint64_t PackedWriter::finish(const PackedHeader& header) {
  const std::string text = format_packed_header(header);
  file_.write(text);
  preamble_.header_bytes = text.size();
  preamble_.file_bytes = preamble_.header_offset + text.size();
  preamble_.checksum = hash_64(index_ + text);
  file_.write_over(0, format_packed_preamble(preamble_));
  file_.sync_and_close();
  return preamble_.file_bytes;
}

}  // namespace resist
