#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "resist/core/error.h"
#include "resist/core/file.h"
#include "resist/data/class_folders.h"
#include "resist/data/corrupt_counter.h"
#include "resist/data/in_order.h"
#include "resist/data/input_rule.h"
#include "resist/data/pack_target.h"
#include "resist/data/packed.h"
#include "resist/data/packed_dataset.h"
#include "resist/data/packed_writer.h"
#include "resist/data/picture.h"
#include "resist/data/picture_list.h"
#include "resist/data/statistics.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostLookedAt = 1'000;  // of a part
// As many as open_image_folder takes, so that packing a folder does not change its normalisation.
constexpr std::int64_t kMostForStatistics = 20'000;
constexpr std::int64_t kMostOfOwnSizesForStatistics = 2'000;
constexpr std::int64_t kSamplesPerMessage = 100'000;
constexpr int kLargestSide = 4096;

struct SourcePart {
  std::string name;
  std::string folder;  // within the source, ends with /; empty: the source itself
  PictureList list;

  std::int64_t size() const { return static_cast<std::int64_t>(list.pictures.size()); }
  const ListedPicture& at(std::int64_t index) const { return list.pictures[static_cast<std::size_t>(index)]; }
  fs::path path(std::int64_t index) const { return list.folder / at(index).name; }
};

std::vector<SourcePart> list_parts(const fs::path& source) {
  const auto list_part = [&](std::string name, const std::string& folder, const std::vector<std::string>& classes) {
    return SourcePart{.name = std::move(name), .folder = folder + "/", .list = list_pictures(source / folder, classes)};
  };
  if (!is_folder(source / "train")) {
    return {{.name = "all", .folder = "", .list = list_pictures(source)}};
  }
  if (const auto test = find_test_folder(source)) {
    std::vector<SourcePart> parts{list_part("train", "train", {})};
    parts.push_back(list_part("test", test->filename().string(), parts.front().list.classes));
    return parts;
  }
  throw InputError(
      fmt::format("'{}' has a folder train/ but neither test/ nor val/: put the test pictures there, or "
                  "pack '{}' alone",
                  source.string(), (source / "train").string()));
}

// The formats of evenly spaced pictures. Damaged ones are left out: they are met again when all are packed.
std::vector<PictureFormat> look_at(const std::vector<SourcePart>& parts) {
  std::vector<PictureFormat> formats;
  std::string damage;
  for (const SourcePart& part : parts) {
    for (const std::int64_t index : evenly_spaced(part.size(), kMostLookedAt)) {
      try {
        formats.push_back(picture_format(read_picture_file(part.path(index))));
      } catch (const InputError& error) {
        damage = fmt::format("'{}': {}", part.path(index).string(), error.what());
      }
    }
  }
  if (formats.empty()) {
    throw InputError(fmt::format("none of the pictures that were looked at can be used, among them {}", damage));
  }
  return formats;
}

// The last part of the folder's path, so that the file does not tell where it was made.
std::string name_of(const fs::path& source) {
  return fs::absolute(source / "").lexically_normal().parent_path().filename().string();
}

// One packing: parts are added in order, then it is finished.
class Packing {
 public:
  Packing(const PackOptions& options, const std::vector<SourcePart>& parts, const PackTarget& target,
          const fs::path& path, std::ostream& progress, const std::function<void()>& go_on)
      : progress_(progress),
        go_on_(go_on),
        skip_corrupt_(options.skip_corrupt),
        corrupt_(options.skip_corrupt, fmt::format("'{}'", options.source.string())),
        target_(target),
        writer_(path) {
    header_.name = name_of(options.source);
    header_.storage = target_.storage;
    header_.classes = parts.front().list.classes;
    if (header_.classes.size() == 1) {
      say(fmt::format(
          "warning: only one class, '{}': SRC is to have a folder for each class, or train/ and test/ that do",
          header_.classes.front()));
    }
    format_packed_header(header_);  // a name that can't be written shows now, not in the end
  }

  void add(const SourcePart& part) {
    say(fmt::format("{}: {} pictures, stored as {}", part.name, part.size(), to_word(target_.storage)));
    header_.parts.emplace_back(part.name, 0);
    make_in_order(
        part.size(), [&](std::int64_t index) { return prepare_picture(part.path(index), target_); },
        [&](std::int64_t index, const PreparedPicture& prepared) { add_picture(part, part.at(index), prepared); });
    if (header_.parts.back().second == 0) {
      throw InputError(fmt::format("none of the pictures of '{}' can be used", part.list.folder.string()));
    }
  }

  void finish() {
    const auto packed = writer_.end_samples(header_);
    say("computing the normalisation");
    const ChannelStatistics statistics = statistics_of(packed);
    header_.mean = statistics.mean;
    header_.stddev = statistics.stddev;
    const std::uint64_t bytes = writer_.finish(header_);
    say(fmt::format("wrote {} samples, {} bytes", packed->size(), bytes));
  }

 private:
  void say(const std::string& text) { progress_ << text << '\n' << std::flush; }

  void add_picture(const SourcePart& part, const ListedPicture& picture, const PreparedPicture& prepared) {
    go_on_();
    ++pictures_seen_;
    if (prepared.damage) {
      corrupt_.leave_out(pictures_seen_, *prepared.damage);
      return;
    }
    note_format(prepared.format);
    writer_.add(prepared.sample, picture.label, part.folder + picture.name);
    if (++header_.parts.back().second % kSamplesPerMessage == 0) {
      say(fmt::format("{}: {} of {}", part.name, header_.parts.back().second, part.size()));
    }
  }

  // The header's format is what all samples have in common.
  void note_format(const PictureFormat& format) {
    PictureFormat& common = header_.format;
    if (common.channels == 0) {
      common = format;
    }
    common.channels = std::max(common.channels, format.channels);
    if (format.size() != common.size()) {
      common.height = common.width = 0;
    }
  }

  // Of the first part, which is the training pictures where there are any.
  ChannelStatistics statistics_of(const std::shared_ptr<const PackedFile>& packed) const {
    const DatasetInfo info = packed_dataset_info(header_, 0);
    const PackedDataset dataset(packed, {.first = 0, .count = header_.parts.front().second}, info,
                                std::make_shared<CorruptCounter>(skip_corrupt_, header_.name));
    return channel_statistics(dataset, info, info.own_sizes ? kMostOfOwnSizesForStatistics : kMostForStatistics);
  }

  std::ostream& progress_;
  const std::function<void()>& go_on_;
  int skip_corrupt_;
  CorruptCounter corrupt_;
  PackTarget target_;
  PackedWriter writer_;
  PackedHeader header_;
  std::int64_t pictures_seen_ = 0;
};

void check(const PackOptions& options) {
  if (options.resize < 0 || options.resize > kLargestSide) {
    throw InputError(
        fmt::format("--resize is {}, but 0 (as they are) to {} pixels are allowed", options.resize, kLargestSide));
  }
  if (options.skip_corrupt < 0) {
    throw InputError(fmt::format("--skip-corrupt is {}, but a number from 0 is allowed", options.skip_corrupt));
  }
  std::error_code error;  // whatever it is shows when the file is created
  if (fs::exists(fs::symlink_status(options.destination, error))) {
    throw InputError(
        fmt::format("'{}' is there already: remove it or choose another destination", options.destination.string()));
  }
}

}  // namespace

void pack_data(const PackOptions& options, std::ostream& progress, const std::function<void()>& go_on) {
  check(options);
  const std::vector<SourcePart> parts = list_parts(options.source);
  const PackTarget target = choose_pack_target(look_at(parts), options.storage, options.resize);
  replace_file(options.destination, [&](const fs::path& unfinished) {
    Packing packing(options, parts, target, unfinished, progress, go_on);
    for (const SourcePart& part : parts) {
      packing.add(part);
    }
    packing.finish();
  });
}

}  // namespace resist
