#include "resist/telemetry/run_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string_view>
#include <thread>
#include <type_traits>
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

// Calls visit(line, parse(JSON)) for every line that ends with a newline; what follows the last one was torn by a
// crash.
template <typename Parse, typename Visit>
void for_each_record(std::string_view text, const std::string& file, Parse parse, Visit visit) {
  int number = 0;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    const std::string_view line = text.substr(0, end + 1);
    ++number;
    try {
      visit(line, parse(nlohmann::json::parse(line)));
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

// A file of lines, open for appending. Lines that can't be written wait, and go before the next one.
class RunFolder::LineFile {
 public:
  // InputError if it can't be opened.
  explicit LineFile(fs::path path) : path_(std::move(path)), descriptor_(open_for_appending(path_)) {}
  ~LineFile() { ::close(descriptor_); }
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  // Atomically drops the lines of which keep(parse(JSON)) is false.
  template <typename Parse, typename Keep>
  void keep_if(Parse parse, Keep keep) {
    const std::string text = read_file(path_);
    std::string kept;
    for_each_record(text, path_.string(), parse, [&](std::string_view line, const auto& record) {
      if (keep(record)) {
        kept += line;
      }
    });
    if (kept != text) {
      write_file_atomically(path_, kept);
      const int fresh = open_for_appending(path_);  // the file of that name is another one now
      ::close(descriptor_);
      descriptor_ = fresh;
    }
  }

  void append(const nlohmann::json& object) {
    const bool waited = !waiting_.empty();
    waiting_ += object.dump() + '\n';
    try {
      write_waiting();
    } catch (const Error& error) {
      if (!waited) {
        spdlog::warn("{}; what belongs there is kept in memory until it can be written", error.what());
      }
    }
  }

  // Error names the file, and leaves no half line.
  void write_waiting();

 private:
  static int open_for_appending(const fs::path& path) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (descriptor < 0) {
      throw InputError(fmt::format("can't write '{}': {}", path.string(), system_message(errno)));
    }
    return descriptor;
  }

  fs::path path_;
  int descriptor_;
  std::string waiting_;
};

// Held on the folder itself; the kernel gives it up when the process ends, however that happens.
struct RunFolder::Lock {
  // A run that was just killed may still be ending, so it is tried for a while. `insists`: throws if somebody has it.
  Lock(const fs::path& path, bool insists) : descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    constexpr auto kPause = std::chrono::milliseconds(100);
    const int tries = insists ? 50 : 10;
    for (int i = 0; descriptor >= 0 && ::flock(descriptor, LOCK_EX | LOCK_NB) != 0; ++i) {
      if (errno != EWOULDBLOCK) {
        break;  // a file system without locks
      }
      if (i == tries && !insists) {
        spdlog::warn("the worker that wrote the run '{}' has not ended, but is out of reach", path.string());
        break;
      }
      if (i == tries) {
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
    : path_(std::move(path)),
      lock_(std::move(lock)),
      metrics_(std::make_unique<LineFile>(path_ / kMetricsFile)),
      history_(std::make_unique<LineFile>(path_ / kHistoryFile)) {
}
RunFolder::RunFolder(RunFolder&&) noexcept = default;
RunFolder& RunFolder::operator=(RunFolder&&) noexcept = default;
RunFolder::~RunFolder() = default;

RunFolder RunFolder::create(const fs::path& path, const std::string& config_toml) {
  const bool is_new = claim_folder(path);
  try {
    auto lock = std::make_unique<Lock>(path, /*insists=*/true);
    write_file_atomically(path / kConfigFile, config_toml);
    return {path, std::move(lock)};
  } catch (const Error& error) {
    std::error_code ignored;
    fs::remove(path / kMetricsFile, ignored);
    fs::remove(path / kHistoryFile, ignored);
    fs::remove(path / kConfigFile, ignored);
    fs::remove(path / (std::string(kConfigFile) + ".tmp"), ignored);
    if (is_new) {
      fs::remove(path, ignored);
    }
    throw InputError(fmt::format("can't write into the run folder '{}': {}", path.string(), error.what()));
  }
}

namespace {

void require_run(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path / kConfigFile, ignored)) {
    throw InputError(fmt::format("'{}' is not the folder of a run: it has no {}", path.string(), kConfigFile));
  }
}

}  // namespace

RunFolder RunFolder::open(const fs::path& path) {
  require_run(path);
  return {path, std::make_unique<Lock>(path, /*insists=*/true)};
}

RunFolder RunFolder::take_over(const fs::path& path) {
  require_run(path);
  return {path, std::make_unique<Lock>(path, /*insists=*/false)};
}

void RunFolder::go_on_after(std::int64_t round, const std::string& config_toml) {
  std::int64_t last = 0;  // round that has metrics
  metrics_->keep_if(round_record_from_json, [&](const RoundRecord& record) {
    last = record.round <= round ? record.round : last;
    return record.round <= round;
  });
  history_->keep_if(history_record_from_json, [&](const HistoryRecord& record) {
    const auto* commit = std::get_if<CommitRecord>(&record);
    return commit == nullptr || commit->round <= last;
  });
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

void RunFolder::LineFile::write_waiting() {
  if (waiting_.empty()) {
    return;
  }
  struct stat before {};
  const bool known = ::fstat(descriptor_, &before) == 0;
  ssize_t written = -1;
  do {
    written = ::write(descriptor_, waiting_.data(), waiting_.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(waiting_.size())) {
    waiting_.clear();
    return;
  }
  const int reason = written < 0 ? errno : ENOSPC;
  if (written > 0 && !(known && ::ftruncate(descriptor_, before.st_size) == 0)) {
    waiting_.erase(0, static_cast<std::size_t>(written));  // the rest of the line goes behind its first half
  }
  throw Error(fmt::format("can't write '{}': {}", path_.string(), system_message(reason)));
}

void RunFolder::append(const RoundRecord& record) {
  metrics_->append(to_json(record));
}

void RunFolder::append(const HistoryRecord& record) {
  history_->append(to_json(record));
}

void RunFolder::write_waiting() {
  metrics_->write_waiting();
  history_->write_waiting();
}

namespace {

template <typename Parse>
auto read_records(const fs::path& file, Parse parse) {
  std::vector<std::invoke_result_t<Parse, const nlohmann::json&>> records;
  for_each_record(read_file(file), file.string(), parse,
                  [&](std::string_view /*line*/, auto record) { records.push_back(std::move(record)); });
  return records;
}

}  // namespace

std::vector<RoundRecord> read_metrics(const fs::path& run_dir) {
  return read_records(run_dir / kMetricsFile, round_record_from_json);
}

std::vector<HistoryRecord> read_history(const fs::path& run_dir) {
  return read_records(run_dir / kHistoryFile, history_record_from_json);
}

}  // namespace resist
