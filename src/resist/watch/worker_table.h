#pragma once

#include <string>
#include <vector>

#include "resist/watch/run_figures.h"
#include "resist/watch/styled_line.h"

namespace resist {

// A heading, a worker and a line for those left out.
inline constexpr int kLeastTableRows = 3;

// A line per worker below a heading: a bar of its round (computing, waiting, synchronising), the seconds of each, what
// it sends, its link's rate and its memory. At most `rows` lines of at most `columns` cells: the columns on the right
// go first; where there is no room for all workers, those that compute longest are shown, and the last line counts the
// rest.
std::vector<StyledLine> worker_table(const RunFigures& figures, int columns, int rows, const ScreenStyle& style);

// "23.1 MB", "1.25 GB".
std::string bytes_in_words(double bytes);
// "812 Mbit/s".
std::string rate_in_words(double bits_per_second);

}  // namespace resist
