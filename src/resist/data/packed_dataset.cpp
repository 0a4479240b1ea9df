#include "resist/data/packed_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "resist/core/error.h"
#include "resist/data/input_rule.h"

namespace resist {

PackedPart find_part(const PackedHeader& header, std::string_view name) {
  std::int64_t first = 0;
  for (const auto& [part_name, count] : header.parts) {
    if (part_name == name) {
      return {.first = first, .count = count};
    }
    first += count;
  }
  return {};
}

DatasetInfo packed_dataset_info(const PackedHeader& header, int image_size) {
  DatasetInfo info{.name = header.name,
                   .classes = static_cast<int>(header.classes.size()),
                   .class_names = header.classes,
                   .mean = header.mean,
                   .stddev = header.stddev,
                   .decodes = header.storage == PackStorage::files};
  const PictureFormat& format = header.format;
  const bool sizes_differ = format.height == 0;
  const PictureSize asked{.height = image_size, .width = image_size};
  if (header.storage == PackStorage::pixels && (image_size == 0 || format.size() == asked)) {
    info.channels = format.channels;
    info.height = format.height;
    info.width = format.width;
    info.crop_padding = std::min(format.height, format.width) / 8;
    info.flip = true;
  } else if (sizes_differ) {
    const PictureFormat any{.channels = format.channels, .height = 1, .width = 1};
    const PictureFormat other{.channels = format.channels, .height = 1, .width = 2};
    choose_input(std::array{any, other}, image_size, info);
  } else {
    choose_input(std::array{format}, image_size, info);
  }
  return info;
}

PackedDataset::PackedDataset(std::shared_ptr<const PackedFile> file, const PackedPart& part, const DatasetInfo& info,
                             std::shared_ptr<CorruptCounter> corrupt, std::vector<std::uint32_t> labels)
    : file_(std::move(file)),
      part_(part),
      input_(input_format(info)),
      corrupt_(std::move(corrupt)),
      labels_(std::move(labels)) {
}

std::int64_t PackedDataset::label(std::int64_t index) const {
  const std::uint32_t label = file_->label(in_file(index));
  return labels_.empty() ? label : labels_.at(label);
}

std::span<const std::uint8_t> PackedDataset::read(std::int64_t index, const Framing& framing,
                                                  std::span<std::uint8_t> buffer) const {
  const std::int64_t sample = in_file(index);
  try {
    return file_->read(sample, framing, input_, buffer);
  } catch (const InputError& error) {
    corrupt_->leave_out(sample, error);
    return {};
  }
}

std::int64_t PackedDataset::in_file(std::int64_t index) const {
  if (index < 0 || index >= part_.count) {
    throw Error(
        fmt::format("can't read sample {} of '{}': this part has {}", index, file_->path().string(), part_.count));
  }
  return part_.first + index;
}

}  // namespace resist
