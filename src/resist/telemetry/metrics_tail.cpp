#include "resist/telemetry/metrics_tail.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "resist/core/error.h"

namespace resist {
namespace {

constexpr const char* kMetricsFile = "metrics.jsonl";

std::chrono::system_clock::time_point time_of(const timespec& time) {
  const auto since_epoch = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(since_epoch));
}

}  // namespace

MetricsTail::MetricsTail(const std::filesystem::path& run_dir) : file_(run_dir / kMetricsFile) {
}

bool MetricsTail::look() {
  const int descriptor = ::open(file_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor >= 0) {
    const bool changed = look_into(descriptor);
    ::close(descriptor);
    return changed;
  }
  const bool had_records = !records_.empty();
  const std::string before =
      std::exchange(problem_, fmt::format("can't read '{}': {}", file_.string(), system_message(errno)));
  records_.clear();
  offset_ = lines_ = 0;
  written_.reset();
  return had_records || problem_ != before;
}

bool MetricsTail::look_into(int descriptor) {
  struct stat file {};
  if (::fstat(descriptor, &file) != 0) {
    return false;
  }
  const bool same = file.st_dev == device_ && file.st_ino == inode_ && file.st_size >= offset_ && written_;
  if (!same) {
    start_again();
    device_ = file.st_dev;
    inode_ = file.st_ino;
  }
  written_ = time_of(file.st_mtim);
  constexpr std::size_t kPiece = std::size_t{1} << 16;
  std::string pending;
  const std::int64_t lines_before = lines_;
  for (std::int64_t end = offset_;;) {
    const std::size_t held = pending.size();
    pending.resize(held + kPiece);
    const ssize_t count = ::pread(descriptor, pending.data() + held, kPiece, end);
    if (count < 0 && errno == EINTR) {
      pending.resize(held);
      continue;
    }
    pending.resize(held + static_cast<std::size_t>(count > 0 ? count : 0));
    if (count <= 0) {
      break;
    }
    end += count;
    std::size_t begin = 0;
    for (std::size_t stop = pending.find('\n'); stop != std::string::npos; stop = pending.find('\n', begin)) {
      add_line(std::string_view(pending).substr(begin, stop - begin));
      begin = stop + 1;
    }
    pending.erase(0, begin);
    offset_ += static_cast<std::int64_t>(begin);
  }
  return !same || lines_ != lines_before;
}

void MetricsTail::start_again() {
  records_.clear();
  problem_.clear();
  offset_ = lines_ = 0;
}

void MetricsTail::add_line(std::string_view line) {
  ++lines_;
  try {
    records_.push_back(round_record_from_json(nlohmann::json::parse(line)));
    return;
  } catch (const nlohmann::json::exception&) {
    problem_ = fmt::format("'{}' is damaged: line {} is not JSON", file_.string(), lines_);
  } catch (const InputError& error) {
    problem_ = fmt::format("'{}' is damaged: in line {} {}", file_.string(), lines_, error.what());
  }
}

}  // namespace resist
