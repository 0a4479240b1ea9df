#include "resist/core/failpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "resist/core/error.h"

namespace resist {
namespace {

FailpointHook hook_of_process;
std::atomic<bool> next_message_is_corrupt = false;

void kill_this_process() {
  std::raise(SIGKILL);
}

void stop_this_process() {
  std::raise(SIGSTOP);
}

constexpr std::array<std::pair<std::string_view, void (*)()>, 3> kActions = {
    {{"kill", kill_this_process}, {"stop", stop_this_process}, {"corrupt", corrupt_next_message}}};

std::vector<std::string_view> action_words() {
  std::vector<std::string_view> words;
  words.reserve(kActions.size());
  for (const auto& [word, action] : kActions) {
    words.push_back(word);
  }
  return words;
}

struct Fault {
  int worker = 0;
  std::string step;
  std::int64_t round = 0;
  void (*action)() = nullptr;
  bool done = false;
};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

template <typename Number>
bool read(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

std::optional<Fault> parse_fault(std::string_view text) {
  const auto parts = split(text, ':');
  Fault fault;
  if (parts.size() != 4 || !read(parts[0], fault.worker) || !read(parts[2], fault.round) ||
      std::ranges::find(kFailpoints, parts[1]) == kFailpoints.end()) {
    return std::nullopt;
  }
  fault.step = parts[1];
  const auto* action = std::ranges::find(kActions, parts[3], &decltype(kActions)::value_type::first);
  if (action == kActions.end()) {
    return std::nullopt;
  }
  fault.action = action->second;
  return fault;
}

}  // namespace

void set_failpoint_hook(FailpointHook hook) {
  hook_of_process = std::move(hook);
}

void failpoint(std::string_view step, int worker, std::int64_t round) {
  if (hook_of_process) {
    hook_of_process(step, worker, round);
  }
}

void corrupt_next_message() {
  next_message_is_corrupt = true;
}

bool takes_corruption() {
  return next_message_is_corrupt.exchange(false);
}

FailpointHook parse_failpoints(std::string_view text) {
  std::vector<Fault> faults;
  for (const std::string_view part : split(text, ',')) {
    const auto fault = parse_fault(part);
    if (!fault) {
      throw InputError(
          fmt::format("RESIST_FAILPOINT has '{}'; it must be WORKER:STEP:ROUND:ACTION with a STEP of {}, and an "
                      "ACTION of {}",
                      part, fmt::join(kFailpoints, ", "), fmt::join(action_words(), ", ")));
    }
    faults.push_back(*fault);
  }
  return [faults](std::string_view step, int worker, std::int64_t round) mutable {
    for (Fault& fault : faults) {
      if (fault.worker == worker && fault.step == step && fault.round == round && !fault.done) {
        fault.done = true;  // a worker comes by a step once more for the same round after a loss
        fault.action();
      }
    }
  };
}

}  // namespace resist
