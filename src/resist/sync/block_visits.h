#pragma once

#include <vector>

#include "resist/model/layout.h"
#include "resist/partition/assignment.h"

namespace resist {

// How blocks visit every worker during an evaluation: in depth order, each sent by one of its holders to all that do
// not hold it, some ahead of their use so that all holders' links carry something.

// Who sends each block: of its holders the one that has sent least until then, the lowest where several have. A pure
// function of its arguments, so every worker knows it without a message.
std::vector<int> visit_senders(const Layout& layout, const Assignment& assignment);

// Blocks that are under way or in use at a time, and what the visiting ones take on a worker, in elements.
int visits_under_way(int workers);
std::int64_t visiting_size(const Layout& layout, const Assignment& assignment);

}  // namespace resist
