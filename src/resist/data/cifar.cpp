#include "resist/data/cifar.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "resist/core/error.h"
#include "resist/core/file.h"
#include "resist/data/memory_dataset.h"

namespace resist {
namespace {

constexpr int kSide = 32;
constexpr std::size_t kPictureBytes = std::size_t{3} * kSide * kSide;
constexpr std::uint64_t kMostRecords = 1'000'000;  // of one file

// A record is its labels, one byte each, then the picture; the last label is the one that counts.
struct Records {
  std::size_t label_bytes;
  int classes;
  std::vector<std::uint8_t> pixels = {};
  std::vector<std::uint8_t> labels = {};
};

std::uint64_t count_records(const std::filesystem::path& path, std::size_t record_bytes) {
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(path, error);
  if (error) {
    throw InputError(fmt::format("can't read '{}': {}; put the file there", path.string(), error.message()));
  }
  if (bytes == 0 || bytes % record_bytes != 0 || bytes / record_bytes > kMostRecords) {
    throw InputError(fmt::format("'{}' has {} bytes, but 1 to {} records of {} bytes are allowed: get the file anew",
                                 path.string(), bytes, kMostRecords, record_bytes));
  }
  return bytes / record_bytes;
}

void append_file(const std::filesystem::path& path, Records& records) {
  const std::size_t record_bytes = records.label_bytes + kPictureBytes;
  const std::uint64_t count = count_records(path, record_bytes);
  std::ifstream stream(path, std::ios::binary);
  std::vector<std::uint8_t> record(record_bytes);
  records.pixels.reserve(records.pixels.size() + count * kPictureBytes);
  for (std::uint64_t index = 0; index < count; ++index) {
    if (!stream.read(reinterpret_cast<char*>(record.data()), static_cast<std::streamsize>(record_bytes))) {
      throw InputError(fmt::format("can't read record {} of '{}': {}", index, path.string(), system_message(errno)));
    }
    const std::uint8_t label = record[records.label_bytes - 1];
    if (label >= records.classes) {
      throw InputError(fmt::format("'{}' has label {} in record {}, but 0 to {} are allowed: get the file anew",
                                   path.string(), label, index, records.classes - 1));
    }
    records.labels.push_back(label);
    records.pixels.insert(records.pixels.end(), record.end() - kPictureBytes, record.end());
  }
}

std::shared_ptr<const Dataset> read_files(const std::filesystem::path& folder, const std::vector<std::string>& names,
                                          std::size_t label_bytes, int classes) {
  Records records{.label_bytes = label_bytes, .classes = classes};
  for (const std::string& name : names) {
    append_file(folder / name, records);
  }
  return std::make_shared<MemoryDataset>(std::move(records.pixels), std::move(records.labels),
                                         PictureSize{.height = kSide, .width = kSide}, 3);
}

// The lines of the file if there are as many as classes; names are a nicety that must not stop a run.
std::vector<std::string> read_class_names(const std::filesystem::path& path, int classes) {
  std::vector<std::string> names;
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) {
    std::istringstream lines(read_file(path, 1 << 16));
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty()) {
        names.push_back(line);
      }
    }
  }
  if (names.size() != static_cast<std::size_t>(classes)) {
    names.clear();
  }
  return names;
}

DataSource open_cifar(const DatasetInfo& info, const std::filesystem::path& folder,
                      const std::vector<std::string>& train, const std::string& test, std::size_t label_bytes) {
  DataSource source{.info = info,
                    .train = read_files(folder, train, label_bytes, info.classes),
                    .test = read_files(folder, {test}, label_bytes, info.classes)};
  source.info.channels = 3;
  source.info.height = kSide;
  source.info.width = kSide;
  return source;
}

}  // namespace

DataSource open_cifar10(const DatasetInfo& info, const std::filesystem::path& folder) {
  std::vector<std::string> train;
  for (int batch = 1; batch <= 5; ++batch) {
    train.push_back(fmt::format("data_batch_{}.bin", batch));
  }
  return open_cifar(info, folder, train, "test_batch.bin", 1);
}

DataSource open_cifar100(const DatasetInfo& info, const std::filesystem::path& folder) {
  DataSource source = open_cifar(info, folder, {"train.bin"}, "test.bin", 2);
  source.info.class_names = read_class_names(folder / "fine_label_names.txt", info.classes);
  return source;
}

}  // namespace resist
