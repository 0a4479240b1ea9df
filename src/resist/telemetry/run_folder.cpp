#include "resist/telemetry/run_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string_view>
#include <thread>
#include <utility>

#include "resist/core/error.h"
#include "resist/core/file.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMetricsFile = "metrics.jsonl";
constexpr const char* kHistoryFile = "history.jsonl";
constexpr const char* kConfigFile = "config.toml";

[[noreturn]] void refuse_overwriting(const fs::path& path) {
  throw InputError(
      fmt::format("the run folder '{}' is not empty, and a run is never overwritten: give another --run-dir, or go on "
                  "with it by --resume",
                  path.string()));
}

// Calls visit(line, record) for every line that ends with a newline; what follows the last one was torn by a crash.
template <typename Visit>
void for_each_record(std::string_view text, const std::string& file, Visit visit) {
  int number = 0;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    const std::string_view line = text.substr(0, end + 1);
    ++number;
    try {
      visit(line, round_record_from_json(nlohmann::json::parse(line)));
    } catch (const nlohmann::json::exception&) {
      throw InputError(fmt::format("'{}' is damaged: line {} is not JSON", file, number));
    } catch (const InputError& error) {
      throw InputError(fmt::format("'{}' is damaged: in line {} {}", file, number, error.what()));
    }
    text.remove_prefix(line.size());
  }
}

// Makes the folder and claims it, so that of two runs started at once only one gets it. Says whether it is new.
bool claim_folder(const fs::path& path) {
  std::error_code problem;
  const bool is_new = fs::create_directories(path, problem);
  if (problem || !fs::is_directory(path, problem)) {
    throw InputError(fmt::format("can't create the run folder '{}': {}", path.string(),
                                 problem ? problem.message() : "it is not a folder"));
  }
  if (is_new) {
    fs::permissions(path, fs::perms::owner_all, problem);
  }
  const bool empty = fs::is_empty(path, problem);
  const fs::path metrics = path / kMetricsFile;
  const int claim = empty && !problem ? ::open(metrics.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
  if (claim >= 0) {
    ::close(claim);
  } else if (!problem && (!empty || errno == EEXIST)) {
    refuse_overwriting(path);
  } else {
    throw InputError(fmt::format("can't write into the run folder '{}': {}", path.string(),
                                 problem ? problem.message() : system_message(errno)));
  }
  return is_new;
}

}  // namespace

void RunFolder::require_new(const fs::path& path) {
  std::error_code problem;
  if (fs::exists(path, problem) && !fs::is_empty(path, problem)) {
    refuse_overwriting(path);
  }
}

// A file of lines, open for appending.
struct RunFolder::LineFile {
  explicit LineFile(fs::path file)
      : path(std::move(file)), descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
    if (descriptor < 0) {
      throw InputError(fmt::format("can't write '{}': {}", path.string(), system_message(errno)));
    }
  }
  ~LineFile() { ::close(descriptor); }
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  void append(const nlohmann::json& object) const;

  fs::path path;
  int descriptor;
};

// Held on the folder itself; the kernel gives it up when the process ends, however that happens.
struct RunFolder::Lock {
  explicit Lock(const fs::path& path) : descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    // A run that was just killed may still be ending.
    constexpr int kTries = 50;
    constexpr auto kPause = std::chrono::milliseconds(100);
    for (int i = 0; descriptor >= 0 && ::flock(descriptor, LOCK_EX | LOCK_NB) != 0; ++i) {
      if (errno != EWOULDBLOCK) {
        break;  // a file system without locks
      }
      if (i == kTries) {
        ::close(descriptor);
        throw InputError(
            fmt::format("the run '{}' is in use by another process; wait for it or stop it", path.string()));
      }
      std::this_thread::sleep_for(kPause);
    }
  }
  ~Lock() {
    if (descriptor >= 0) {
      ::close(descriptor);
    }
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  int descriptor;
};

RunFolder::RunFolder(fs::path path, std::unique_ptr<Lock> lock)
    : path_(std::move(path)), lock_(std::move(lock)), metrics_(std::make_unique<LineFile>(path_ / kMetricsFile)) {
}
RunFolder::RunFolder(RunFolder&&) noexcept = default;
RunFolder& RunFolder::operator=(RunFolder&&) noexcept = default;
RunFolder::~RunFolder() = default;

RunFolder RunFolder::create(const fs::path& path, const std::string& config_toml) {
  const bool is_new = claim_folder(path);
  try {
    auto lock = std::make_unique<Lock>(path);
    write_file_atomically(path / kConfigFile, config_toml);
    return {path, std::move(lock)};
  } catch (const Error& error) {
    std::error_code ignored;
    fs::remove(path / kMetricsFile, ignored);
    fs::remove(path / kConfigFile, ignored);
    fs::remove(path / (std::string(kConfigFile) + ".tmp"), ignored);
    if (is_new) {
      fs::remove(path, ignored);
    }
    throw InputError(fmt::format("can't write into the run folder '{}': {}", path.string(), error.what()));
  }
}

RunFolder RunFolder::open(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path / kConfigFile, ignored)) {
    throw InputError(fmt::format("'{}' is not the folder of a run: it has no {}", path.string(), kConfigFile));
  }
  return {path, std::make_unique<Lock>(path)};
}

void RunFolder::go_on_after(std::int64_t round, const std::string& config_toml) {
  const fs::path metrics = path_ / kMetricsFile;
  const std::string text = read_file(metrics);
  std::string kept;
  for_each_record(text, metrics.string(), [&](std::string_view line, const RoundRecord& record) {
    if (record.round <= round) {
      kept += line;
    }
  });
  if (kept != text) {
    write_file_atomically(metrics, kept);
    metrics_ = std::make_unique<LineFile>(metrics);  // the file of that name is another one now
  }
  write_file_atomically(path_ / kConfigFile, config_toml);
}

fs::path RunFolder::free_path(const std::string& name) {
  const fs::path runs = "runs";
  fs::path path = runs / name;
  std::error_code ignored;
  for (int number = 2; fs::exists(path, ignored); ++number) {
    path = runs / fmt::format("{}-{}", name, number);
  }
  return path;
}

void RunFolder::LineFile::append(const nlohmann::json& object) const {
  const std::string line = object.dump() + '\n';
  struct stat before {};
  const bool known = ::fstat(descriptor, &before) == 0;
  ssize_t written = -1;
  do {
    written = ::write(descriptor, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(line.size())) {
    return;
  }
  const int reason = written < 0 ? errno : ENOSPC;
  // Half a line would spoil the next one.
  const bool mended = written <= 0 || (known && ::ftruncate(descriptor, before.st_size) == 0);
  throw Error(fmt::format("can't write '{}': {}{}", path.string(), system_message(reason),
                          mended ? "" : "; its last line is incomplete"));
}

void RunFolder::append(const RoundRecord& record) {
  metrics_->append(to_json(record));
}

void RunFolder::append(const GenerationRecord& record) {
  if (!history_) {
    history_ = std::make_unique<LineFile>(path_ / kHistoryFile);
  }
  history_->append(to_json(record));
}

std::vector<RoundRecord> read_metrics(const fs::path& run_dir) {
  const fs::path metrics = run_dir / kMetricsFile;
  std::vector<RoundRecord> records;
  for_each_record(read_file(metrics), metrics.string(),
                  [&](std::string_view /*line*/, RoundRecord record) { records.push_back(std::move(record)); });
  return records;
}

}  // namespace resist
