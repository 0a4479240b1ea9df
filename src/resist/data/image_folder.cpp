#include "resist/data/image_folder.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "resist/core/error.h"
#include "resist/core/hash.h"
#include "resist/data/picture.h"
#include "resist/data/statistics.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostForStatistics = 20'000;  // enough for four digits, minutes less at opening

struct Sample {
  std::string name;  // CLASS/PICTURE
  std::uint32_t label;
};

class ImageFolder : public Dataset {
 public:
  ImageFolder(fs::path folder, std::vector<Sample> samples, const PictureFormat& format)
      : folder_(std::move(folder)), samples_(std::move(samples)), format_(format) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(samples_.size()); }
  std::int64_t label(std::int64_t index) const override { return at(index).label; }
  void read(std::int64_t index, std::span<std::uint8_t> pixels) const override {
    read_picture(folder_ / at(index).name, format_, pixels);
  }

 private:
  const Sample& at(std::int64_t index) const { return samples_.at(static_cast<std::size_t>(index)); }

  fs::path folder_;
  std::vector<Sample> samples_;
  PictureFormat format_;
};

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool is_picture_name(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

// Names in the folder, sorted, because the file system gives them in any order; hidden ones are left out.
std::vector<std::string> list_names(const fs::path& folder, bool (*wanted)(const fs::directory_entry&)) {
  std::vector<std::string> names;
  try {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with('.') && wanted(entry)) {
        names.push_back(name);
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw InputError(fmt::format("can't list '{}': {}", folder.string(), error.code().message()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> list_classes(const fs::path& folder) {
  auto classes = list_names(folder, [](const fs::directory_entry& entry) { return entry.is_directory(); });
  if (classes.empty()) {
    throw InputError(fmt::format("'{}' has no class folders: put each class's pictures into a folder of its own there",
                                 folder.string()));
  }
  return classes;
}

std::vector<Sample> list_samples(const fs::path& folder, const std::vector<std::string>& classes) {
  std::vector<Sample> samples;
  for (std::uint32_t label = 0; label < classes.size(); ++label) {
    const fs::path class_folder = folder / classes[label];
    const auto names = list_names(class_folder, [](const fs::directory_entry& entry) { return !entry.is_directory(); });
    const std::size_t before = samples.size();
    std::size_t ignored = 0;
    for (const std::string& name : names) {
      if (is_picture_name(name)) {
        samples.push_back({classes[label] + "/" + name, label});
      } else {
        ++ignored;
      }
    }
    if (samples.size() == before) {
      throw InputError(
          fmt::format("class folder '{}' has no pictures (.jpg, .jpeg, .png): add some or remove the folder",
                      class_folder.string()));
    }
    if (ignored > 0) {
      spdlog::warn("ignored {} files in '{}' whose names do not end in .jpg, .jpeg or .png", ignored,
                   class_folder.string());
    }
  }
  return samples;
}

fs::path find_test_folder(const fs::path& folder) {
  for (const char* name : {"test", "val"}) {
    if (is_folder(folder / name)) {
      return folder / name;
    }
  }
  throw InputError(fmt::format(
      "'{}' has neither a folder test/ nor val/: put the test pictures there, in class folders", folder.string()));
}

void check_same_classes(const fs::path& test_folder, const std::vector<std::string>& train,
                        const std::vector<std::string>& test) {
  std::vector<std::string> differences;
  std::set_symmetric_difference(train.begin(), train.end(), test.begin(), test.end(), std::back_inserter(differences));
  if (!differences.empty()) {
    throw InputError(
        fmt::format("'{}' has {} class folders and train/ has {}; '{}' is in one of them only: both must "
                    "have the same class folders",
                    test_folder.string(), test.size(), train.size(), differences.front()));
  }
}

// Changes when a training picture is added, removed, renamed or written anew.
std::string statistics_key(const fs::path& folder, const std::vector<Sample>& samples, int channels) {
  std::error_code error;  // what can't be read shows when the pictures are
  Hasher hasher;
  const auto add = [&](const std::string& text) { hasher.update(std::as_bytes(std::span(text))); };
  add(fmt::format("{}\n{} {} {}\n", fs::canonical(folder, error).string(), samples.size(), channels,
                  kMostForStatistics));
  for (const Sample& sample : samples) {
    const auto size = fs::file_size(folder / sample.name, error);
    const auto time = fs::last_write_time(folder / sample.name, error).time_since_epoch().count();
    add(fmt::format("{} {} {}\n", sample.name, size, time));
  }
  return hasher.digest();
}

}  // namespace

DataSource open_image_folder(const fs::path& folder) {
  const fs::path train_folder = folder / "train";
  if (!is_folder(train_folder)) {
    throw InputError(
        fmt::format("'{}' has no folder train/: put the training pictures there, in class folders", folder.string()));
  }
  const fs::path test_folder = find_test_folder(folder);
  const auto classes = list_classes(train_folder);
  check_same_classes(test_folder, classes, list_classes(test_folder));
  auto train = list_samples(train_folder, classes);
  auto test = list_samples(test_folder, classes);

  const PictureFormat format = picture_format(train_folder / train.front().name);
  const std::string key = statistics_key(train_folder, train, format.channels);
  DataSource source;
  source.train = std::make_shared<ImageFolder>(train_folder, std::move(train), format);
  source.test = std::make_shared<ImageFolder>(test_folder, std::move(test), format);
  DatasetInfo& info = source.info;
  info.name = folder.string();
  info.channels = format.channels;
  info.height = format.height;
  info.width = format.width;
  info.classes = static_cast<int>(classes.size());
  info.class_names = classes;
  info.crop_padding = std::min(format.height, format.width) / 8;
  info.flip = true;
  ChannelStatistics statistics = cached_channel_statistics(key, *source.train, info, kMostForStatistics);
  info.mean = std::move(statistics.mean);
  info.stddev = std::move(statistics.stddev);
  return source;
}

}  // namespace resist
