#include "resist/watch/worker_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <numeric>

namespace resist {
namespace {

// Decimal units, three digits: "812 Mbit/s", "23.1 MB".
std::string in_units(double value, const char* unit) {
  constexpr std::array<const char*, 5> kPrefixes = {"k", "M", "G", "T", "P"};
  if (!(value > 0)) {
    return fmt::format("0 k{}", unit);
  }
  std::size_t prefix = 0;
  value /= 1000;
  while (value >= 999.5 && prefix + 1 < kPrefixes.size()) {
    value /= 1000;
    ++prefix;
  }
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}{}", value, decimals, kPrefixes[prefix], unit);
}

std::string seconds_in_words(double seconds) {
  return seconds < 99.995 ? fmt::format("{:.2f} s", seconds) : fmt::format("{:.0f} s", seconds);
}

struct Column {
  const char* heading;
  int width;
  Tone tone;
  std::function<std::string(const WorkerFigures&)> text;
};

std::vector<Column> columns_of_table() {
  return {{"compute", 9, Tone::compute, [](const auto& worker) { return seconds_in_words(worker.seconds_compute); }},
          {"wait", 9, Tone::wait, [](const auto& worker) { return seconds_in_words(worker.seconds_wait); }},
          {"sync", 9, Tone::sync, [](const auto& worker) { return seconds_in_words(worker.seconds_sync); }},
          {"sent", 9, Tone::plain, [](const auto& worker) { return bytes_in_words(worker.bytes_sent); }},
          {"link", 12, Tone::plain,
           [](const auto& worker) { return worker.bits_per_second > 0 ? rate_in_words(worker.bits_per_second) : "-"; }},
          {"memory", 9, Tone::plain,
           [](const auto& worker) { return bytes_in_words(static_cast<double>(worker.peak_memory_bytes)); }}};
}

constexpr int kNameColumns = 6;
constexpr int kShortestBar = 8;
constexpr int kLongestBar = 60;

// The round of one worker; `longest` fills the bar.
StyledLine bar(const WorkerFigures& worker, double longest, int columns, const ScreenStyle& style) {
  StyledLine line;
  if (!(longest > 0)) {
    return line;
  }
  double seconds = 0;
  int filled = 0;
  const auto add = [&](double part, const char* block, const char* letter, Tone tone) {
    seconds += part;
    // Ends are rounded, not lengths: so the bar of a whole round is full.
    const int end = static_cast<int>(std::lround(std::clamp(seconds / longest, 0.0, 1.0) * columns));
    std::string text;
    for (; filled < end; ++filled) {
      text += style.unicode ? block : letter;
    }
    line.add(text, tone);
  };
  add(worker.seconds_compute, "\u2588", "#", Tone::compute);
  add(worker.seconds_wait, "\u2591", ".", Tone::wait);
  add(worker.seconds_sync, "\u2593", "=", Tone::sync);
  return line;
}

double round_seconds(const WorkerFigures& worker) {
  return worker.seconds_compute + worker.seconds_wait + worker.seconds_sync;
}

// The workers to show, in rank order.
std::vector<std::size_t> shown_workers(const std::vector<WorkerFigures>& workers, std::size_t most) {
  std::vector<std::size_t> shown(workers.size());
  std::iota(shown.begin(), shown.end(), std::size_t{0});
  if (shown.size() > most) {
    std::ranges::stable_sort(shown, std::greater<>(),
                             [&](std::size_t index) { return workers[index].seconds_compute; });
    shown.resize(most);
    std::ranges::sort(shown);
  }
  return shown;
}

}  // namespace

std::string bytes_in_words(double bytes) {
  return in_units(bytes, "B");
}

std::string rate_in_words(double bits_per_second) {
  return in_units(bits_per_second, "bit/s");
}

std::vector<StyledLine> worker_table(const RunFigures& figures, int columns, int rows, const ScreenStyle& style) {
  const auto& workers = figures.workers;
  if (workers.empty() || rows < 2) {
    return {};
  }
  std::vector<Column> table = columns_of_table();
  int taken = kNameColumns;
  std::size_t fitting = 0;
  while (fitting < table.size() && taken + table[fitting].width <= columns) {
    taken += table[fitting++].width;
  }
  table.resize(fitting);
  const int for_bar = std::min(columns - taken - 1, kLongestBar);
  const int bar_columns = for_bar >= kShortestBar ? for_bar : 0;

  const bool all = workers.size() + 1 <= static_cast<std::size_t>(rows);
  const auto shown = shown_workers(workers, all ? workers.size() : static_cast<std::size_t>(std::max(rows - 2, 1)));
  double longest = 0;
  for (const WorkerFigures& worker : workers) {
    longest = std::max(longest, round_seconds(worker));
  }

  std::vector<StyledLine> lines = {StyledLine("worker", Tone::faint)};
  const auto pad_to_table = [&](StyledLine& line) {
    if (bar_columns > 0) {
      line.pad(kNameColumns + 1 + bar_columns);
    }
  };
  pad_to_table(lines.back());
  for (const Column& column : table) {
    lines.back().add(fmt::format("{:>{}}", column.heading, column.width), Tone::faint);
  }
  for (const std::size_t index : shown) {
    const bool slowest = static_cast<int>(index) == figures.slowest && figures.delay != Delay::none;
    StyledLine line(fmt::format("{:>{}}", index, kNameColumns), slowest ? Tone::bad : Tone::plain);
    if (bar_columns > 0) {
      line.add(" ").add(bar(workers[index], longest, bar_columns, style));
    }
    pad_to_table(line);
    for (const Column& column : table) {
      line.add(fmt::format("{:>{}}", column.text(workers[index]), column.width), column.tone);
    }
    lines.push_back(std::move(line));
  }
  if (!all && rows > 2) {
    lines.emplace_back(
        fmt::format("{:>{}} {} more workers, which compute less", "", kNameColumns - 1, workers.size() - shown.size()),
        Tone::faint);
  }
  return lines;
}

}  // namespace resist
