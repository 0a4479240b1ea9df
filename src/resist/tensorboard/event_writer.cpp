#include "resist/tensorboard/event_writer.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include "resist/core/error.h"
#include "resist/core/mapped_file.h"
#include "resist/tensorboard/assignment_picture.h"
#include "resist/tensorboard/events.h"
#include "resist/tensorboard/record_file.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

fs::path events_folder(const fs::path& run_dir) {
  return run_dir / "tensorboard";
}

// TensorBoard takes every file with "tfevents" in its name and reads them in the order of their names.
std::string file_name(int number) {
  return fmt::format("events.out.tfevents.{:06}.resist", number);
}

// The number that exactly this name stands for.
std::optional<int> number_of(const std::string& name) {
  const std::size_t digits = name.find_first_of("0123456789");
  int number = 0;
  if (digits != std::string::npos) {
    std::from_chars(name.data() + digits, name.data() + name.size(), number);
  }
  return number > 0 && file_name(number) == name ? std::optional(number) : std::nullopt;
}

// The files that runs wrote, by number; none where there is no such folder.
std::vector<int> numbers_in(const fs::path& folder) {
  std::vector<int> numbers;
  if (fs::exists(folder)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      if (const auto number = number_of(entry.path().filename().string())) {
        numbers.push_back(*number);
      }
    }
  }
  return numbers;
}

// Bytes of a file up to the first record that is of a later round, or damaged: most readers end there. Steps do not
// fall within a file.
std::uint64_t bytes_until(std::string_view file, std::int64_t round) {
  std::string_view rest = file;
  while (true) {
    const std::size_t position = file.size() - rest.size();
    const auto event = take_record(rest);
    if (!event || event_step(*event).value_or(round + 1) > round) {
      return position;
    }
  }
}

void cut_file(const fs::path& path, std::int64_t round) {
  std::uint64_t kept = 0;
  std::uint64_t size = 0;
  {
    const MappedFile file(path);
    size = file.size();
    kept = bytes_until(file.bytes(0, size), round);
  }
  if (kept < size) {
    fs::resize_file(path, kept);
  }
}

}  // namespace

bool writes_events(const Config& config) {
  return config.run.tensorboard.value_or(true);
}

void cut_events(const fs::path& run_dir, std::int64_t round) {
  const fs::path folder = events_folder(run_dir);
  try {
    for (const int number : numbers_in(folder)) {
      cut_file(folder / file_name(number), round);
    }
  } catch (const std::exception& error) {
    spdlog::warn("rounds after {} can't be cut off TensorBoard's files: {}", round, error.what());
  }
}

double EventWriter::system_clock() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

EventWriter::EventWriter(const fs::path& run_dir, std::int64_t round, std::string_view config_toml, Clock clock)
    : path_(events_folder(run_dir)), clock_(std::move(clock)) {
  attempt([&] {
    fs::create_directories(path_);
    const std::vector<int> numbers = numbers_in(path_);
    path_ /= file_name(numbers.empty() ? 1 : *std::ranges::max_element(numbers) + 1);
    file_ = std::make_unique<OutputFile>(path_);
  });
  write(version_event);
  // Also the first file has one: TensorBoard takes only a second one for a new start.
  write([&](double now) { return start_event(now, round + 1); });
  write([&](double now) { return config_event(now, round + 1, config_toml); });
}

void EventWriter::add(const RoundRecord& record) {
  write([&](double now) { return round_event(now, record); });
}

void EventWriter::add_assignment(std::int64_t round, const Assignment& assignment, const std::vector<DeckSize>& decks) {
  write([&](double now) { return assignment_event(now, round, draw_assignment(assignment, decks)); });
}

void EventWriter::write(const std::function<std::string(double)>& event) {
  if (!file_) {
    return;
  }
  attempt([&] {
    if (!fs::exists(path_)) {  // writing would succeed, to where nobody finds it
      throw Error(fmt::format("'{}' has been removed", path_.string()));
    }
    std::string record;
    append_record(record, event(clock_()));
    file_->write(record);
  });
}

void EventWriter::attempt(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    file_.reset();
    spdlog::warn("no more is written for TensorBoard: {}; training goes on", error.what());
  }
}

}  // namespace resist
