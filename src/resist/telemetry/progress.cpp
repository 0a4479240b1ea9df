#include "resist/telemetry/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ostream>
#include <string_view>

namespace resist {
namespace {

constexpr double kSecondsBetweenLines = 10;
constexpr const char* kClearLine = "\r\x1b[K";
constexpr const char* kGreen = "\x1b[32m";
constexpr const char* kPlain = "\x1b[0m";

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

std::string format_bytes(std::int64_t bytes) {
  const double megabytes = static_cast<double>(bytes) / 1e6;
  return megabytes < 1000 ? fmt::format("{:.1f} MB", megabytes) : fmt::format("{:.2f} GB", megabytes / 1000);
}

std::string format_duration(double seconds) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  const auto whole = static_cast<std::int64_t>(std::ceil(std::min(seconds, 1e12)));
  if (whole < kMinute) {
    return fmt::format("{}s", whole);
  }
  if (whole < kHour) {
    return fmt::format("{}m{:02}s", whole / kMinute, whole % kMinute);
  }
  if (whole < kDay) {
    return fmt::format("{}h{:02}m", whole / kHour, whole % kHour / kMinute);
  }
  return fmt::format("{}d{:02}h", whole / kDay, whole % kDay / kHour);
}

}  // namespace

ProgressOptions detect_terminal(int file_descriptor) {
  ProgressOptions options;
  const char* terminal = std::getenv("TERM");
  options.terminal = ::isatty(file_descriptor) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
  options.color = options.terminal && !is_set("NO_COLOR");
  winsize size{};
  if (options.terminal && ::ioctl(file_descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    options.columns = size.ws_col;
  }
  return options;
}

Progress::Progress(std::ostream& out, ProgressOptions options)
    : out_(out), options_(options), seconds_last_line_(-kSecondsBetweenLines), bytes_(options.bytes_before) {
}

void Progress::set_length(std::int64_t total_rounds, std::int64_t total_samples) {
  options_.total_rounds = total_rounds;
  options_.total_samples = total_samples;
}

void Progress::show(const RoundRecord& record) {
  add(record);
  pending_ = describe(record);
  const bool last = record.round == options_.total_rounds;
  const bool due = !options_.terminal && seconds_ - seconds_last_line_ >= kSecondsBetweenLines;
  if (record.accuracy || last || due) {
    print_line(pending_);
    pending_.clear();
  }
  if (options_.terminal && !last) {
    out_ << kClearLine << bar(describe(record), record.round);
    bar_open_ = true;
  }
  out_.flush();
}

void Progress::finish() {
  if (!pending_.empty()) {
    print_line(pending_);
    pending_.clear();
  }
  if (bar_open_) {
    out_ << kClearLine;
    bar_open_ = false;
  }
  out_.flush();
}

void Progress::add(const RoundRecord& record) {
  if (samples_before_ < 0) {
    // Rounds are of one size, nearly: good enough for a rate where a resumed run goes on.
    samples_before_ = record.samples - record.samples / std::max<std::int64_t>(record.round, 1);
  }
  seconds_training_ += record.seconds_compute + record.seconds_sync;
  seconds_ += record.seconds_compute + record.seconds_sync + record.seconds_evaluation;
  samples_ = record.samples;
  bytes_ += record.bytes_sent;
  if (record.accuracy) {
    accuracy_ = record.accuracy;
  }
}

std::string Progress::describe(const RoundRecord& record) const {
  std::string text = fmt::format("round {}", record.round);
  if (options_.total_rounds > 0) {
    text += fmt::format("/{}", options_.total_rounds);
  }
  text += fmt::format("  loss {:.4f}", record.loss);
  if (accuracy_) {
    text += fmt::format("  accuracy {:.2f} %", 100 * *accuracy_);
  }
  const auto samples = static_cast<double>(samples_ - samples_before_);
  if (seconds_training_ > 0) {
    text += fmt::format("  {:.0f} samples/s", samples / seconds_training_);
  }
  text += "  " + format_bytes(bytes_) + " sent";
  if (options_.total_samples > samples_ && samples > 0) {
    const double seconds_left = seconds_ * static_cast<double>(options_.total_samples - samples_) / samples;
    text += fmt::format("  {} left", format_duration(seconds_left));
  }
  return text;
}

// "[#####-----] description", the bar as long as there is room for it, up to 30 characters.
std::string Progress::bar(const std::string& description, std::int64_t round) const {
  constexpr int kShortest = 5;
  constexpr int kLongest = 30;
  constexpr int kFrame = 3;  // brackets and space
  // One column stays free: some terminals wrap as soon as the last one is written.
  const int room = std::max(options_.columns - 1, 0);
  const int length = std::min(kLongest, room - kFrame - static_cast<int>(description.size()));
  if (length < kShortest || options_.total_rounds <= 0) {
    return description.substr(0, static_cast<std::size_t>(room));
  }
  const auto filled = static_cast<std::size_t>(std::min(round, options_.total_rounds) * length / options_.total_rounds);
  const std::string full(filled, '#');
  const std::string rest(static_cast<std::size_t>(length) - filled, '-');
  return fmt::format("[{}{}{}{}] {}", options_.color ? kGreen : "", full, options_.color ? kPlain : "", rest,
                     description);
}

void Progress::print_line(const std::string& description) {
  if (bar_open_) {
    out_ << kClearLine;
    bar_open_ = false;
  }
  out_ << description << '\n';
  seconds_last_line_ = seconds_;
}

}  // namespace resist
