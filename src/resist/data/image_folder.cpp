#include "resist/data/image_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "resist/core/error.h"
#include "resist/core/hash.h"
#include "resist/data/class_folders.h"
#include "resist/data/class_labels.h"
#include "resist/data/input_rule.h"
#include "resist/data/listed_pictures.h"
#include "resist/data/picture_list.h"
#include "resist/data/statistics.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

// Enough for four digits, minutes less at opening. Pictures with sizes of their own cost some 5 ms each, and have so
// many pixels that fewer do.
std::int64_t most_for_statistics(const DatasetInfo& info) {
  return info.own_sizes ? 2'000 : 20'000;
}

// The folder's own name: an exported network need not say where on a disk its data lay.
std::string data_name(const fs::path& folder) {
  const fs::path absolute = fs::absolute(folder).lexically_normal();
  return (absolute.has_filename() ? absolute : absolute.parent_path()).filename().string();
}

// So that a set that does not fit is found out before the training, not after.
void check_usable(const PictureList& list, const DatasetInfo& info, int skip_corrupt) {
  for (const PictureFormat& format : look_at_pictures(list, skip_corrupt > 0)) {
    try {
      usable_part(format, info.evaluation_framing(), input_format(info));
    } catch (const InputError& error) {
      throw InputError(fmt::format("can't use a picture of '{}': {}", list.folder.string(), error.what()));
    }
  }
}

// Changes when a training picture is added, removed or renamed, one that the statistics look at is written anew, or the
// input becomes another.
std::string statistics_key(const PictureList& list, const DatasetInfo& info) {
  std::error_code error;  // what can't be read shows when the pictures are
  Hasher hasher;
  const auto add = [&](const std::string& text) { hasher.update(std::as_bytes(std::span(text))); };
  const std::int64_t most = most_for_statistics(info);
  add(fmt::format("{}\n{} {} {}x{} {} {}\n", fs::canonical(list.folder, error).string(), list.pictures.size(),
                  info.channels, info.height, info.width, info.own_sizes, most));
  for (const ListedPicture& picture : list.pictures) {
    add(picture.name + "\n");
  }
  for (const std::int64_t index : evenly_spaced(static_cast<std::int64_t>(list.pictures.size()), most)) {
    const fs::path path = list.folder / list.pictures[static_cast<std::size_t>(index)].name;
    const auto size = fs::file_size(path, error);
    const auto time = fs::last_write_time(path, error).time_since_epoch().count();
    add(fmt::format("{} {}\n", size, time));
  }
  return hasher.digest();
}

}  // namespace

DataSource open_image_folder(const fs::path& folder, int image_size, int skip_corrupt) {
  const fs::path train_folder = folder / "train";
  if (!is_folder(train_folder)) {
    throw InputError(
        fmt::format("'{}' has no folder train/: put the training pictures there, in class folders", folder.string()));
  }
  const std::optional<fs::path> test_folder = find_test_folder(folder);
  if (!test_folder) {
    throw InputError(fmt::format(
        "'{}' has neither a folder test/ nor val/: put the test pictures there, in class folders", folder.string()));
  }
  PictureList train = list_pictures(train_folder);
  PictureList test = list_pictures(*test_folder, train.classes);
  const auto train_size = static_cast<std::int64_t>(train.pictures.size());

  DataSource source;
  DatasetInfo& info = source.info;
  info.name = data_name(folder);
  info.classes = static_cast<int>(train.classes.size());
  info.class_names = train.classes;
  info.decodes = true;
  choose_input(look_at_pictures(train, skip_corrupt > 0), image_size, info);
  check_usable(test, info, skip_corrupt);
  const std::string key = statistics_key(train, info);
  const auto corrupt = std::make_shared<CorruptCounter>(skip_corrupt, fmt::format("'{}'", folder.string()));
  source.train = std::make_shared<ListedPictures>(std::move(train), input_format(info), corrupt);
  source.test = std::make_shared<ListedPictures>(std::move(test), input_format(info), corrupt, train_size);
  ChannelStatistics statistics = cached_channel_statistics(key, *source.train, info, most_for_statistics(info));
  info.mean = std::move(statistics.mean);
  info.stddev = std::move(statistics.stddev);
  return source;
}

TestSet open_folder_test(const fs::path& folder, const DatasetInfo& info, int skip_corrupt) {
  const std::vector<std::string> classes = training_classes(info);
  const std::optional<fs::path> part = find_test_folder(folder);
  const bool part_is_class = part && std::ranges::find(classes, part->filename().string()) != classes.end();
  PictureList list = list_pictures(part && !part_is_class ? *part : folder, classes);
  check_usable(list, info, skip_corrupt);
  auto corrupt = std::make_shared<CorruptCounter>(skip_corrupt, fmt::format("'{}'", folder.string()));
  return {.name = folder.string(),
          .dataset = std::make_shared<ListedPictures>(std::move(list), input_format(info), std::move(corrupt))};
}

}  // namespace resist
