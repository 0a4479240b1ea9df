#pragma once

#include <string>
#include <vector>

namespace resist {

struct CurvePoint {
  double x = 0;
  double y = 0;
};

// What the edges of a drawing stand for.
struct CurveFrame {
  double left = 0;
  double right = 1;
  double bottom = 0;
  double top = 1;
};

// A curve through the points (ascending x) on a grid of cells, one string a row, from the top, each `columns`
// characters wide. With `unicode` in braille, two dots a cell across and four down; otherwise in ASCII. Where several
// points fall on one column of dots it shows their mean; between points it goes straight. Points outside the frame are
// drawn at its edge, those that are not finite are left out.
std::vector<std::string> draw_curve(const std::vector<CurvePoint>& points, const CurveFrame& frame, int columns,
                                    int rows, bool unicode);

}  // namespace resist
