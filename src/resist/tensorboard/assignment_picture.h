#pragma once

#include <string>
#include <vector>

#include "resist/partition/assignment.h"

namespace resist {

// Who holds which block in one round, as a PNG file in colours: a table with a row for each worker, from 0 at the top,
// and a column for each block, in the order of their ids. Cells shrink where there are many, down to a pixel.
struct AssignmentPicture {
  static constexpr const char* kLegend =
      "Rows: workers, 0 at the top. Columns: the blocks that are dealt out, in the network's order, a gap between "
      "sections. Dark: only this worker holds the block. Light: others hold it too. Grey: this worker does not.";

  int height = 0;
  int width = 0;
  std::string png;
};

// `decks`: those that the assignment deals, in the order of their ids.
AssignmentPicture draw_assignment(const Assignment& assignment, const std::vector<DeckSize>& decks);

}  // namespace resist
