#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "resist/config/enum_words.h"
#include "resist/data/dataset.h"

namespace resist {

// One file with everything of a data set, read by mapping it into memory: any number of workers share the pages, and
// each touches only the samples it reads.
//
//   preamble 64 bytes, little-endian: magic "RESISTPK", u32 version (1), u32 zero, u64 bytes of the whole file,
//            u64 offset and u64 bytes of the index, u64 offset and u64 bytes of the header, u64 xxh3-64 of everything
//            from the index to the end of the file
//   samples  each as it is stored (a picture file's bytes, or channels * height * width pixels), one after another
//   index    one 32-byte entry for each sample, part by part: u64 offset, u64 bytes, u64 xxh3-64 of the bytes,
//            u32 label, u32 place of its name in the names
//   names    the path of each sample in the source, for messages, each ended by a zero byte; from the index's end to
//            the header
//   header   JSON: format "resist-packed", name, storage "files" or "pixels", channels, height and width (of every
//            picture; files: 0 where their sizes differ), mean, stddev, classes, parts (name and count each, in order)
//
// Names are not in the header, so that nobody has to parse or hold a million of them.
//
// A file that is cut short, has grown or whose index is damaged is refused when it is opened; a damaged sample when it
// is read. Cutting a file short while it is in use can end the process (core/mapped_file.h).

enum class PackStorage { automatic, files, pixels };

template <>
inline constexpr auto kWords<PackStorage> = std::to_array<EnumWord<PackStorage>>({{PackStorage::automatic, "auto"},
                                                                                  {PackStorage::files, "files"},
                                                                                  {PackStorage::pixels, "pixels"}});

struct PackOptions {
  std::filesystem::path source;       // a folder with train/ and test/ or val/, or one part (class folders or a list)
  std::filesystem::path destination;  // a new file
  PackStorage storage = PackStorage::automatic;  // automatic: pixels where all pictures have one size up to 64x64
  // The shorter side of larger pictures becomes this; with pixels, all become resize x resize. 0: as they are.
  int resize = 0;
  int skip_corrupt = 0;  // damaged pictures left out, at most
};

// Writes options.destination; it appears under its name only when it is whole and on disk. Says on `progress` what it
// does, for a person. `go_on` is called with each picture, in this thread; what it throws ends the packing, and nothing
// is left of it. InputError names what is wrong with the source, or that the destination is there already.
void pack_data(
    const PackOptions& options, std::ostream& progress, const std::function<void()>& go_on = [] {});

// What a packed file says of itself, for a person or as JSON.
struct PackedInfo {
  DatasetInfo info;
  PackStorage storage = PackStorage::files;
  std::int64_t bytes = 0;
  std::vector<std::pair<std::string, std::int64_t>> parts;  // name and samples
};
PackedInfo packed_info(const std::filesystem::path& file);

// Reads every sample and compares its checksum; those in picture files are decoded too. Returns the names of the
// damaged ones, at most `most`.
std::vector<std::string> verify_packed(const std::filesystem::path& file, std::size_t most);

bool is_packed(const std::filesystem::path& file);  // by its first bytes

// The training and test part. `image_size` and `skip_corrupt`: see open_data.
DataSource open_packed(const std::filesystem::path& file, int image_size, int skip_corrupt);

// The test part (test, val, or the only one) as a further test set for a network trained on `info`; classes are matched
// as list_pictures does. InputError where its pictures can't be what `info` says.
TestSet open_packed_test(const std::filesystem::path& file, const DatasetInfo& info, int skip_corrupt);

}  // namespace resist
