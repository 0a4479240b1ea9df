#include "resist/data/packed_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "resist/config/codec.h"
#include "resist/core/error.h"
#include "resist/core/json_fields.h"
#include "resist/core/json_text.h"

namespace resist {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "packed files are little-endian");
static_assert(sizeof(PackedEntry) == 32, "an entry is read and written as it lies in memory");

constexpr const char* kFormat = "resist-packed";
constexpr std::uint32_t kVersion = 1;
constexpr int kLargestSide = 65500;
constexpr std::int64_t kMostSamples = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kMostParts = 100;

// The preamble as it lies in the file.
struct PreambleBytes {
  char magic[8];
  std::uint32_t version;
  std::uint32_t zero;
  std::uint64_t file_bytes;
  std::uint64_t index_offset;
  std::uint64_t index_bytes;
  std::uint64_t header_offset;
  std::uint64_t header_bytes;
  std::uint64_t checksum;
};
static_assert(sizeof(PreambleBytes) == kPackedPreambleBytes);

[[noreturn]] void refuse(const std::string& file, const std::string& reason) {
  throw InputError(fmt::format("'{}' is no usable packed data set: {}", file, reason));
}

// So that they fit into messages and lists.
bool names_are_lines(const PackedHeader& header) {
  return is_one_line(header.name) && std::ranges::all_of(header.classes, is_one_line) &&
         std::ranges::all_of(header.parts, [](const auto& part) { return is_one_line(part.first); });
}

std::vector<float> parse_statistics(const JsonFields& fields, const char* key, int channels, bool zero_allowed) {
  const std::vector<double> values = fields.numbers(key);
  const bool right =
      values.size() == static_cast<std::size_t>(channels) && std::ranges::all_of(values, [&](double value) {
        return value <= 1 && (zero_allowed ? value >= 0 : static_cast<float>(value) > 0);
      });
  if (!right) {
    fields.refuse(key,
                  fmt::format("must have {} numbers {} to 1", channels, zero_allowed ? "from 0" : "above 0 and up"));
  }
  return {values.begin(), values.end()};
}

PictureFormat parse_format(const JsonFields& fields, PackStorage storage) {
  const int least = storage == PackStorage::pixels ? 1 : 0;
  const PictureFormat format{.channels = static_cast<int>(fields.whole("channels", 1, 3)),
                             .height = static_cast<int>(fields.whole("height", least, kLargestSide)),
                             .width = static_cast<int>(fields.whole("width", least, kLargestSide))};
  if (format.channels == 2) {
    fields.refuse("channels", "must be 1 or 3");
  }
  if ((format.height == 0) != (format.width == 0)) {
    fields.refuse("width", "must be 0 where height is, and nowhere else");
  }
  return format;
}

}  // namespace

std::string format_packed_preamble(const PackedPreamble& preamble) {
  PreambleBytes bytes{.magic = {},
                      .version = kVersion,
                      .zero = 0,
                      .file_bytes = preamble.file_bytes,
                      .index_offset = preamble.index_offset,
                      .index_bytes = preamble.index_bytes,
                      .header_offset = preamble.header_offset,
                      .header_bytes = preamble.header_bytes,
                      .checksum = preamble.checksum};
  std::ranges::copy(kPackedMagic, bytes.magic);
  return {reinterpret_cast<const char*>(&bytes), sizeof bytes};
}

PackedPreamble parse_packed_preamble(std::string_view bytes, std::uint64_t file_bytes, const std::string& file) {
  PreambleBytes read{};
  if (!bytes.starts_with(kPackedMagic)) {
    refuse(file, fmt::format("it does not start with {}; 'resist data pack' makes one", kPackedMagic));
  }
  if (bytes.size() < sizeof read) {
    refuse(file,
           fmt::format("it has {} bytes, at least {} are needed: copy or pack it anew", bytes.size(), sizeof read));
  }
  std::memcpy(&read, bytes.data(), sizeof read);
  if (read.version != kVersion || read.zero != 0) {
    refuse(file, fmt::format("it has version {} ({}), this resist knows version {} (0): pack it with this one",
                             read.version, read.zero, kVersion));
  }
  if (read.file_bytes != file_bytes) {
    refuse(file, fmt::format("it has {} bytes, {} were written: copy or pack it anew", file_bytes, read.file_bytes));
  }
  const auto lies_within = [&](std::uint64_t offset, std::uint64_t count, std::uint64_t from) {
    return offset >= from && offset <= file_bytes && count <= file_bytes - offset;
  };
  if (!lies_within(read.index_offset, read.index_bytes, kPackedPreambleBytes) ||
      read.index_bytes % kPackedEntryBytes != 0) {
    refuse(file, fmt::format("an index of {} bytes at byte {} is impossible in {} bytes: copy or pack it anew",
                             read.index_bytes, read.index_offset, file_bytes));
  }
  if (!lies_within(read.header_offset, read.header_bytes, read.index_offset + read.index_bytes) ||
      read.header_offset + read.header_bytes != file_bytes || read.header_bytes > kMostPackedHeaderBytes) {
    refuse(file, fmt::format("a header of {} bytes at byte {} is impossible in {} bytes: copy or pack it anew",
                             read.header_bytes, read.header_offset, file_bytes));
  }
  return {.file_bytes = read.file_bytes,
          .index_offset = read.index_offset,
          .index_bytes = read.index_bytes,
          .header_offset = read.header_offset,
          .header_bytes = read.header_bytes,
          .checksum = read.checksum};
}

std::string format_packed_header(const PackedHeader& header) {
  if (!names_are_lines(header)) {
    throw InputError(
        "the name of a class or of the data set is not one line of UTF-8: rename the folder, or mend the list");
  }
  // Ordered, so that whoever looks into the file reads what it is first.
  nlohmann::ordered_json document;
  document["format"] = kFormat;
  document["name"] = header.name;
  document["storage"] = to_word(header.storage);
  document["channels"] = header.format.channels;
  document["height"] = header.format.height;
  document["width"] = header.format.width;
  document["mean"] = header.mean;
  document["stddev"] = header.stddev;
  document["classes"] = header.classes;
  document["parts"] = nlohmann::ordered_json::array();
  for (const auto& [name, count] : header.parts) {
    document["parts"].push_back({{"name", name}, {"count", count}});
  }
  std::string text = document.dump();
  if (text.size() > kMostPackedHeaderBytes) {
    throw InputError(fmt::format("the names of {} classes take {} bytes, at most {} are allowed: use shorter ones",
                                 header.classes.size(), text.size(), kMostPackedHeaderBytes));
  }
  return text;
}

PackedHeader parse_packed_header(std::string_view text, const std::string& file) {
  const json document = parse_strict_json(text, file);
  const JsonFields fields(document, file);
  if (fields.text("format") != kFormat) {
    fields.refuse("format", fmt::format("must be {}", kFormat));
  }
  PackedHeader header;
  header.name = fields.text("name");
  const auto storage = from_word<PackStorage>(fields.text("storage"));
  if (!storage || *storage == PackStorage::automatic) {
    fields.refuse("storage", "must be files or pixels");
  }
  header.storage = *storage;
  header.format = parse_format(fields, header.storage);
  header.mean = parse_statistics(fields, "mean", header.format.channels, true);
  header.stddev = parse_statistics(fields, "stddev", header.format.channels, false);
  header.classes = fields.texts("classes");
  const std::unordered_set<std::string> names(header.classes.begin(), header.classes.end());
  if (names.empty() || names.size() != header.classes.size()) {
    fields.refuse("classes", "must be a list of different names");
  }
  const json& parts = fields.at("parts");
  if (!parts.is_array() || parts.empty() || parts.size() > kMostParts) {
    fields.refuse("parts", fmt::format("must be a list of 1 to {} parts", kMostParts));
  }
  for (const json& element : parts) {
    const JsonFields part(element, file);
    header.parts.emplace_back(part.text("name"), part.whole("count", 1, kMostSamples));
  }
  if (!names_are_lines(header)) {
    refuse(file, "a name in its header is more than one line");
  }
  return header;
}

void append_packed_entry(std::string& index, const PackedEntry& entry) {
  index.append(reinterpret_cast<const char*>(&entry), sizeof entry);
}

PackedEntry packed_entry(std::string_view index, std::uint64_t sample) {
  PackedEntry entry;
  std::memcpy(&entry, index.substr(sample * kPackedEntryBytes, kPackedEntryBytes).data(), sizeof entry);
  return entry;
}

std::string packed_entry_fault(const PackedEntry& entry, const PackedPreamble& preamble, const PackedHeader& header) {
  if (entry.offset < kPackedPreambleBytes || entry.offset > preamble.index_offset ||
      entry.bytes > preamble.index_offset - entry.offset) {
    return fmt::format("{} bytes at byte {} are not between preamble and index", entry.bytes, entry.offset);
  }
  if (header.storage == PackStorage::pixels && entry.bytes != header.picture_bytes()) {
    return fmt::format("it has {} bytes, a picture's pixels are {}", entry.bytes, header.picture_bytes());
  }
  if (entry.label >= header.classes.size()) {
    return fmt::format("its label is {}, 0 to {} are possible", entry.label, header.classes.size() - 1);
  }
  if (entry.name >= preamble.names_bytes()) {
    return fmt::format("its name is at byte {} of {}", entry.name, preamble.names_bytes());
  }
  return "";
}

void check_packed_index(std::string_view index, std::string_view names, const PackedPreamble& preamble,
                        const PackedHeader& header, const std::string& file) {
  std::int64_t samples = 0;  // can't overflow: a hundred parts of 2^32 at most
  for (const auto& [name, count] : header.parts) {
    samples += count;
  }
  if (index.size() != static_cast<std::uint64_t>(samples) * kPackedEntryBytes) {
    refuse(file, fmt::format("its index has {} entries for {} samples", index.size() / kPackedEntryBytes, samples));
  }
  if (!names.ends_with('\0')) {
    refuse(file, "its names do not end with a zero byte");
  }
  std::uint64_t end = kPackedPreambleBytes;
  for (std::uint64_t sample = 0; sample < static_cast<std::uint64_t>(samples); ++sample) {
    const PackedEntry entry = packed_entry(index, sample);
    std::string fault = packed_entry_fault(entry, preamble, header);
    if (fault.empty() && entry.offset < end) {
      fault = fmt::format("it starts at byte {}, before the last one's end at {}", entry.offset, end);
    }
    if (!fault.empty()) {
      refuse(file, fmt::format("sample {}: {}", sample, fault));
    }
    end = entry.offset + entry.bytes;
  }
}

}  // namespace resist
