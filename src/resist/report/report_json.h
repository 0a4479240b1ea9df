#pragma once

#include <string>
#include <vector>

#include "resist/report/run_history.h"

namespace resist {

// Everything that the page shows, as one line of JSON (page/data.js describes it). Rounds are columns of numbers, short
// ones: 7 digits. It is ASCII and has none of < > &, so it may stand inside <script>, whatever a run is called.
std::string report_json(const std::vector<RunHistory>& runs);

}  // namespace resist
