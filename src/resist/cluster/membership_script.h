#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "resist/telemetry/history.h"

namespace resist {

// Which workers were there when, from one start of a run to its end: what its history tells, ready to be replayed.
struct MembershipScript {
  // The next generation begins where so many rounds are committed and so many iterations of the round under way done.
  struct Change {
    std::int64_t rounds = 0;
    std::int64_t iterations = 0;
    // The workers that stay notice only when they next communicate: iterations until then end a round. Otherwise
    // nothing is under way.
    bool in_round = false;
    std::int64_t generation = 0;
    std::vector<int> members;  // identities
    // Of those that stay, who noticed it at once: before the round's first iteration, and gave nothing to it.
    std::vector<int> idle;
    bool operator==(const Change&) const = default;
  };
  int workers = 0;                                    // at the start
  nlohmann::json options = nlohmann::json::object();  // of this start
  std::int64_t first_round = 0;
  std::int64_t last_round = 0;  // committed
  std::vector<Change> changes;  // in order
  // With --balance, by generation and committed rounds: the blocks of each deck that each worker held from then on.
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::vector<int>>> blocks;
  bool operator==(const MembershipScript&) const = default;
};

// Of every start. `each_step_together`: workers communicate in every iteration (data-parallel), otherwise at rounds'
// ends. InputError where the history has gaps or contradicts itself. Pure.
std::vector<MembershipScript> membership_scripts(const std::vector<HistoryRecord>& history, bool each_step_together);

}  // namespace resist
