#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "resist/watch/curve.h"
#include "resist/watch/styled_line.h"

namespace resist {

// A curve over rounds with its title, axes and their numbers.
struct CurvePanel {
  std::string title;
  Tone tone = Tone::plain;
  std::vector<CurvePoint> points;
  std::string instead;  // shown where there are no points
  std::int64_t first_round = 0;
  std::int64_t last_round = 0;
};

// A smaller panel would show nothing.
inline constexpr int kLeastPanelRows = 5;
inline constexpr int kLeastPanelColumns = 20;

// Exactly `rows` lines of at most `columns` cells.
std::vector<StyledLine> panel_lines(const CurvePanel& panel, int columns, int rows, const ScreenStyle& style);

}  // namespace resist
