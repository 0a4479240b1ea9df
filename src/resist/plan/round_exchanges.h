#pragma once

#include <cstdint>
#include <vector>

#include "resist/comm/exchange.h"
#include "resist/config/config.h"
#include "resist/model/layout.h"
#include "resist/partition/assignment.h"

namespace resist {

// What a round exchanges, and how often: parameters (and momentum) once, or gradients at every iteration.
struct RoundExchange {
  ExchangePlan plan;
  std::int64_t times = 1;
  bool hidden = false;  // travels while the next round trains
};

// Those of a round (0-based) that is followed by one of its kind. `in_full`: all have to agree at its end; otherwise
// the shared average travels apart with --overlap, and the last section stays where it is with --last-section-every.
// `hands`: what resist deals; empty: equal ones. Pure. InputError where the dealing is impossible.
std::vector<RoundExchange> round_exchanges(const Config& config, const Layout& layout, int workers, std::int64_t round,
                                           bool in_full = true, bool warmup = false, const Hands& hands = {});

}  // namespace resist
