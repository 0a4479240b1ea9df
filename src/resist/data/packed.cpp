#include "resist/data/packed.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <fstream>
#include <memory>
#include <string_view>
#include <utility>

#include "resist/core/error.h"
#include "resist/core/json_text.h"
#include "resist/data/class_labels.h"
#include "resist/data/in_order.h"
#include "resist/data/packed_dataset.h"
#include "resist/data/packed_file.h"
#include "resist/data/packed_format.h"
#include "resist/data/picture.h"

namespace resist {
namespace {

std::string in_apostrophes(const std::filesystem::path& path) {
  return fmt::format("'{}'", path.string());
}

std::string part_names(const PackedHeader& header) {
  std::vector<std::string> names;
  names.reserve(header.parts.size());
  for (const auto& [name, count] : header.parts) {
    names.push_back(in_quotes(name));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

// count 0: there is none.
PackedPart find_test_part(const PackedHeader& header) {
  const PackedPart test = find_part(header, "test");
  return test.count > 0 ? test : find_part(header, "val");
}

void check_can_be_input(const std::filesystem::path& path, const PictureFormat& format, const DatasetInfo& info) {
  if (format.channels != 1 && format.channels != info.channels) {
    throw InputError(fmt::format("'{}' has pictures in colour (3 channels), but the network's input has {}",
                                 path.string(), info.channels));
  }
  if (!info.own_sizes && format.size() != info.input_size()) {
    throw InputError(
        fmt::format("'{}' has pictures of {}, but the network's input is {}x{} (height x width)", path.string(),
                    format.height == 0 ? "different sizes" : fmt::format("{}x{}", format.height, format.width),
                    info.height, info.width));
  }
}

// All of a picture file is decoded, and forgotten.
void decode_all(std::string_view file) {
  const PictureFormat format = picture_format(file);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(format.channels) * static_cast<std::size_t>(format.height) *
                                   static_cast<std::size_t>(format.width));
  read_picture(file, Framing::whole(), format, pixels);
}

bool is_sound(const PackedFile& file, std::int64_t index) {
  try {
    const std::string_view sample = file.stored(index);
    if (file.header().storage == PackStorage::files) {
      decode_all(sample);
    }
    return true;
  } catch (const InputError&) {
    return false;
  }
}

}  // namespace

PackedInfo packed_info(const std::filesystem::path& path) {
  const auto file = open_packed_file(path);
  const PackedHeader& header = file->header();
  return {
      .info = packed_dataset_info(header, 0), .storage = header.storage, .bytes = file->bytes(), .parts = header.parts};
}

std::vector<std::string> verify_packed(const std::filesystem::path& path, std::size_t most) {
  const auto file = open_packed_file(path);
  std::vector<std::string> damaged;
  make_in_order(
      file->size(), [&](std::int64_t index) { return is_sound(*file, index); },
      [&](std::int64_t index, bool sound) {
        if (!sound && damaged.size() < most) {
          damaged.push_back(file->name(index));
        }
      });
  return damaged;
}

bool is_packed(const std::filesystem::path& path) {
  std::array<char, kPackedMagic.size()> start{};
  std::ifstream stream(path, std::ios::binary);
  return stream.read(start.data(), start.size()) && std::string_view(start.data(), start.size()) == kPackedMagic;
}

DataSource open_packed(const std::filesystem::path& path, int image_size, int skip_corrupt) {
  const auto file = open_packed_file(path);
  const PackedHeader& header = file->header();
  const PackedPart train = find_part(header, "train");
  const PackedPart test = find_test_part(header);
  if (train.count == 0 || test.count == 0) {
    throw InputError(
        fmt::format("'{}' has the parts {}, but train and test are needed to train: pack a folder that has "
                    "both, or give this file to --eval",
                    path.string(), part_names(header)));
  }
  DataSource source;
  source.info = packed_dataset_info(header, image_size);
  const auto corrupt = std::make_shared<CorruptCounter>(skip_corrupt, in_apostrophes(path));
  source.train = std::make_shared<PackedDataset>(file, train, source.info, corrupt);
  source.test = std::make_shared<PackedDataset>(file, test, source.info, corrupt);
  return source;
}

TestSet open_packed_test(const std::filesystem::path& path, const DatasetInfo& info, int skip_corrupt) {
  const auto file = open_packed_file(path);
  const PackedHeader& header = file->header();
  const PackedPart only{.first = 0, .count = file->size()};
  const PackedPart part = header.parts.size() == 1 ? only : find_test_part(header);
  if (part.count == 0) {
    throw InputError(
        fmt::format("'{}' has the parts {}: one of them must be test or val", path.string(), part_names(header)));
  }
  check_can_be_input(path, header.format, info);
  std::vector<std::uint32_t> labels = match_classes(header.classes, training_classes(info), in_apostrophes(path));
  auto corrupt = std::make_shared<CorruptCounter>(skip_corrupt, in_apostrophes(path));
  return {.name = header.name,
          .dataset = std::make_shared<PackedDataset>(file, part, info, std::move(corrupt), std::move(labels))};
}

}  // namespace resist
