#include "resist/watch/curve_panel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace resist {
namespace {

constexpr int kNumberColumns = 6;

// Right-aligned, as exact as six cells are.
std::string axis_number(double value) {
  for (int digits = 4; digits > 0; --digits) {
    std::string text = fmt::format("{:.{}g}", value, digits);
    if (text.size() <= kNumberColumns) {
      return fmt::format("{:>{}}", text, kNumberColumns);
    }
  }
  return std::string(kNumberColumns, ' ');
}

// From the least to the largest value, with some room around one that does not change.
CurveFrame frame_of(const CurvePanel& panel) {
  CurveFrame frame{.left = static_cast<double>(panel.first_round), .right = static_cast<double>(panel.last_round)};
  bool any = false;
  for (const CurvePoint& point : panel.points) {
    if (!std::isfinite(point.y)) {
      continue;
    }
    frame.bottom = any ? std::min(frame.bottom, point.y) : point.y;
    frame.top = any ? std::max(frame.top, point.y) : point.y;
    any = true;
  }
  if (frame.top - frame.bottom <= 1e-9 * std::abs(frame.top)) {
    const double room = std::max(0.05 * std::abs(frame.top), 1e-3);
    frame.bottom -= room;
    frame.top += room;
  }
  return frame;
}

}  // namespace

std::vector<StyledLine> panel_lines(const CurvePanel& panel, int columns, int rows, const ScreenStyle& style) {
  constexpr int kAxisColumns = kNumberColumns + 2;
  std::vector<StyledLine> lines = {StyledLine(panel.title, Tone::strong)};
  if (panel.points.empty()) {
    lines.emplace_back(panel.instead, Tone::faint);
    lines.resize(static_cast<std::size_t>(rows));
    return lines;
  }
  const CurveFrame frame = frame_of(panel);
  const int plot_rows = rows - 2;
  const auto curve = draw_curve(panel.points, frame, columns - kAxisColumns, plot_rows, style.unicode);
  for (int row = 0; row < plot_rows; ++row) {
    const bool edge = row == 0 || row == plot_rows - 1;
    const std::string number =
        !edge ? std::string(kNumberColumns, ' ') : axis_number(row == 0 ? frame.top : frame.bottom);
    lines.emplace_back(number + ' ', Tone::faint);
    lines.back().add(style.unicode ? (edge ? "\u2524" : "\u2502") : "|", Tone::faint);
    lines.back().add(curve[static_cast<std::size_t>(row)], panel.tone);
  }
  const std::string last = fmt::format("round {}", panel.last_round);
  StyledLine rounds(std::string(kAxisColumns, ' ') + std::to_string(panel.first_round), Tone::faint);
  if (rounds.width() + 1 + static_cast<int>(last.size()) <= columns) {
    rounds.pad(columns - static_cast<int>(last.size())).add(last, Tone::faint);
  }
  lines.push_back(rounds);
  return lines;
}

}  // namespace resist
