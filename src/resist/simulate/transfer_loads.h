#pragma once

#include <vector>

#include "resist/comm/exchange.h"

namespace resist {

// What an exchange puts on the links, by the rule of comm/exchange.h: each holder of a segment owns an equal part of
// it, collects the other holders' values of that part and distributes the mean to the receivers. Counted in bytes that
// may be fractions, not in whole elements, so it takes a pass over holders and receivers, not over pairs of workers.

struct Load {
  double sent = 0;  // bytes
  double received = 0;
  double busiest() const { return sent > received ? sent : received; }
};

// One of the phases that an exchange goes through.
struct Leg {
  std::vector<Load> workers;  // by rank
  std::vector<Load> uplinks;  // by site
  double steps = 0;           // that follow each other, each with one peer to send to and one to receive from
  double crossing = 0;        // share of these peers that are on other sites
  bool inside_order = true;   // its steps wait for others' (ExchangeModel's waiting)
};

// Collecting, distributing: every worker with every other one. sites: of each rank, below `site_count`.
std::vector<Leg> flat_loads(const std::vector<Segment>& segments, const std::vector<int>& sites, int site_count);

// Collecting inside sites, averaging between those that hold a segment, distributing inside sites. Between sites each
// holder passes on what it owns of its site's sum, so that an uplink carries each segment about twice, whatever the
// number of workers behind it.
std::vector<Leg> hierarchical_loads(const std::vector<Segment>& segments, const std::vector<int>& sites,
                                    int site_count);

// All legs together, by rank.
std::vector<Load> total_loads(const std::vector<Leg>& legs);

}  // namespace resist
