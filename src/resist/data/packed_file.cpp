#include "resist/data/packed_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "resist/core/error.h"
#include "resist/core/hash.h"
#include "resist/core/json_text.h"
#include "resist/data/resample.h"

namespace resist {
namespace {

// Every channel of `pixels` becomes a copy of `channel`, which may be the first of them.
void repeat_channel(std::span<const std::uint8_t> channel, std::span<std::uint8_t> pixels) {
  const bool is_first = channel.data() == pixels.data();
  for (std::size_t start = is_first ? channel.size() : 0; start < pixels.size(); start += channel.size()) {
    std::ranges::copy(channel, pixels.subspan(start).begin());
  }
}

// `sample`: channel by channel, as `format` says.
std::span<const std::uint8_t> read_pixels(std::string_view sample, const PictureFormat& format, const Framing& framing,
                                          const PictureFormat& input, std::span<std::uint8_t> buffer) {
  const std::size_t plane = buffer.size() / static_cast<std::size_t>(input.channels);
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(sample.data()), sample.size());
  const auto pixels = frame_pixels(bytes, format.size(), framing, input.size(),
                                   buffer.first(plane * static_cast<std::size_t>(format.channels)));
  if (format.channels == input.channels) {
    return pixels;
  }
  repeat_channel(pixels, buffer);
  return buffer;
}

}  // namespace

PackedFile::PackedFile(std::unique_ptr<const MappedFile> file, const PackedPreamble& preamble, PackedHeader header)
    : file_(std::move(file)), preamble_(preamble), header_(std::move(header)) {
  if (header_.storage == PackStorage::files) {
    file_->expect_random_access();
  }
}

PackedEntry PackedFile::entry(std::int64_t index) const {
  if (index < 0 || index >= size()) {
    throw Error(fmt::format("can't read sample {} of '{}': it has {}", index, path().string(), size()));
  }
  const auto offset = preamble_.index_offset + static_cast<std::uint64_t>(index) * kPackedEntryBytes;
  const PackedEntry entry = packed_entry(file_->bytes(offset, kPackedEntryBytes), 0);
  const std::string fault = packed_entry_fault(entry, preamble_, header_);
  if (!fault.empty()) {
    throw InputError(
        fmt::format("'{}' has been changed since it was opened: sample {}: {}", path().string(), index, fault));
  }
  return entry;
}

std::string PackedFile::name(std::int64_t index) const {
  const std::string_view names = file_->bytes(preamble_.names_offset(), preamble_.names_bytes());
  const std::string_view from_here = names.substr(entry(index).name);
  return std::string(from_here.substr(0, from_here.find('\0')));
}

std::string_view PackedFile::stored(std::int64_t index) const {
  const PackedEntry place = entry(index);
  if (header_.storage == PackStorage::files) {
    file_->will_need(place.offset, place.bytes);
  }
  const std::string_view bytes = file_->bytes(place.offset, place.bytes);
  if (hash_64(bytes) != place.checksum) {
    throw InputError("its checksum is wrong: copy or pack the file anew");
  }
  return bytes;
}

std::span<const std::uint8_t> PackedFile::read(std::int64_t index, const Framing& framing, const PictureFormat& input,
                                               std::span<std::uint8_t> buffer) const {
  try {
    const std::string_view sample = stored(index);
    if (header_.storage == PackStorage::pixels) {
      return read_pixels(sample, header_.format, framing, input, buffer);
    }
    read_picture(sample, framing, input, buffer);
    return buffer;
  } catch (const InputError& error) {
    throw InputError(
        fmt::format("can't use picture {} of '{}': {}", in_quotes(name(index)), path().string(), error.what()));
  }
}

std::shared_ptr<const PackedFile> open_packed_file(const std::filesystem::path& path) {
  auto file = std::make_unique<const MappedFile>(path);
  const std::string name = path.string();
  const std::string_view start = file->bytes(0, std::min(file->size(), kPackedPreambleBytes));
  const PackedPreamble preamble = parse_packed_preamble(start, file->size(), name);
  const std::string_view checked = file->bytes(preamble.index_offset, file->size() - preamble.index_offset);
  if (hash_64(checked) != preamble.checksum) {
    throw InputError(
        fmt::format("'{}' is damaged: the checksum of its index and header is wrong; copy or pack it anew", name));
  }
  PackedHeader header = parse_packed_header(file->bytes(preamble.header_offset, preamble.header_bytes), name);
  check_packed_index(checked.substr(0, preamble.index_bytes),
                     checked.substr(preamble.index_bytes, preamble.names_bytes()), preamble, header, name);
  return std::make_shared<const PackedFile>(std::move(file), preamble, std::move(header));
}

}  // namespace resist
