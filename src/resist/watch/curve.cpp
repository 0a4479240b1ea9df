#include "resist/watch/curve.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

namespace resist {
namespace {

// A grid of dots.
struct Dots {
  Dots(int across, int down)
      : columns(across), rows(down), set_(static_cast<std::size_t>(across) * static_cast<std::size_t>(down)) {}
  bool at(int column, int row) const { return set_[index(column, row)]; }
  void put(int column, int row) { set_[index(column, row)] = true; }

  int columns;
  int rows;

 private:
  std::size_t index(int column, int row) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column);
  }
  std::vector<bool> set_;
};

// The mean of the points of each column of dots.
std::vector<std::optional<double>> column_means(const std::vector<CurvePoint>& points, const CurveFrame& frame,
                                                int columns) {
  const double width = frame.right - frame.left;
  std::vector<double> sums(static_cast<std::size_t>(columns));
  std::vector<int> counts(sums.size());
  for (const CurvePoint& point : points) {
    if (!std::isfinite(point.x) || !std::isfinite(point.y)) {
      continue;
    }
    const double place = width > 0 ? std::clamp((point.x - frame.left) / width, 0.0, 1.0) : 0;
    const auto column = static_cast<std::size_t>(std::lround(place * (columns - 1)));
    sums[column] += point.y;
    ++counts[column];
  }
  std::vector<std::optional<double>> means(sums.size());
  for (std::size_t i = 0; i < means.size(); ++i) {
    if (counts[i] > 0) {
      means[i] = sums[i] / counts[i];
    }
  }
  return means;
}

// Straight between columns that have a value.
void fill_gaps(std::vector<std::optional<double>>& means) {
  std::optional<std::size_t> before;
  for (std::size_t i = 0; i < means.size(); ++i) {
    if (!means[i]) {
      continue;
    }
    for (std::size_t between = before.value_or(i) + 1; between < i; ++between) {
      const double share = static_cast<double>(between - *before) / static_cast<double>(i - *before);
      means[between] = *means[*before] + share * (*means[i] - *means[*before]);
    }
    before = i;
  }
}

void plot(Dots& dots, const std::vector<std::optional<double>>& means, const CurveFrame& frame) {
  const double span = frame.top - frame.bottom;
  int before = -1;  // the last column's row; -1: it has none
  for (int column = 0; column < dots.columns; ++column) {
    const auto& mean = means[static_cast<std::size_t>(column)];
    if (!mean) {
      before = -1;
      continue;
    }
    const double share = (*mean - frame.bottom) / span;
    const double height = std::isfinite(share) ? std::clamp(share, 0.0, 1.0) : 0.5;  // a flat curve lies in the middle
    const int row = static_cast<int>(std::lround((1 - height) * (dots.rows - 1)));
    dots.put(column, row);
    // A steep piece is a line too: half of it in each of the two columns.
    const int from = before < 0 ? row : before;
    const int middle = (from + row) / 2;
    for (int i = std::min(from, row) + 1; i < std::max(from, row); ++i) {
      const bool with_before = from < row ? i <= middle : i > middle;
      dots.put(with_before ? column - 1 : column, i);
    }
    before = row;
  }
}

std::string braille(std::uint32_t dots) {
  const std::uint32_t code = 0x2800 + dots;
  return {static_cast<char>(0xE0U | code >> 12U), static_cast<char>(0x80U | (code >> 6U & 0x3FU)),
          static_cast<char>(0x80U | (code & 0x3FU))};
}

std::string braille_cell(const Dots& dots, int column, int row) {
  // The bit of each dot, by row and column within the cell.
  constexpr std::array<std::array<std::uint32_t, 2>, 4> kBits = {
      {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}};
  std::uint32_t bits = 0;
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 2; ++x) {
      if (dots.at(2 * column + x, 4 * row + y)) {
        bits |= kBits[static_cast<std::size_t>(y)][static_cast<std::size_t>(x)];
      }
    }
  }
  return bits == 0 ? " " : braille(bits);
}

// Two dots a cell, one above the other.
std::string ascii_cell(const Dots& dots, int column, int row) {
  const bool upper = dots.at(column, 2 * row);
  const bool lower = dots.at(column, 2 * row + 1);
  return upper && lower ? ":" : upper ? "'" : lower ? "." : " ";
}

}  // namespace

std::vector<std::string> draw_curve(const std::vector<CurvePoint>& points, const CurveFrame& frame, int columns,
                                    int rows, bool unicode) {
  std::vector<std::string> lines(static_cast<std::size_t>(std::max(rows, 0)));
  if (columns <= 0) {
    return lines;
  }
  Dots dots(unicode ? 2 * columns : columns, static_cast<int>(lines.size()) * (unicode ? 4 : 2));
  auto means = column_means(points, frame, dots.columns);
  fill_gaps(means);
  if (dots.rows > 0) {
    plot(dots, means, frame);
  }
  for (std::size_t row = 0; row < lines.size(); ++row) {
    for (int column = 0; column < columns; ++column) {
      lines[row] +=
          unicode ? braille_cell(dots, column, static_cast<int>(row)) : ascii_cell(dots, column, static_cast<int>(row));
    }
  }
  return lines;
}

}  // namespace resist
