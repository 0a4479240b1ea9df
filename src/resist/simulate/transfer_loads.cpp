#include "resist/simulate/transfer_loads.h"

#include <algorithm>

namespace resist {
namespace {

double bytes_of(const Segment& segment) {
  return static_cast<double>(encoded_size(segment.format, segment.size));
}

Leg empty_leg(std::size_t workers, int site_count) {
  return {.workers = std::vector<Load>(workers), .uplinks = std::vector<Load>(static_cast<std::size_t>(site_count))};
}

// Which ranks hold a segment, and how many there are on each site.
class Census {
 public:
  Census(const std::vector<int>& sites, int site_count)
      : sites_(sites),
        is_holder_(sites.size()),
        is_receiver_(sites.size()),
        holders(static_cast<std::size_t>(site_count)),
        receivers(static_cast<std::size_t>(site_count)) {}

  void count(const Segment& segment) {
    mark(segment.holders, is_holder_, holders);
    mark(segment.receivers, is_receiver_, receivers);
  }
  bool is_holder(int rank) const { return is_holder_[static_cast<std::size_t>(rank)] != 0; }
  bool is_receiver(int rank) const { return is_receiver_[static_cast<std::size_t>(rank)] != 0; }

 private:
  void mark(const std::vector<int>& ranks, std::vector<char>& marks, std::vector<double>& counts) {
    std::ranges::fill(marks, 0);
    std::ranges::fill(counts, 0);
    for (const int rank : ranks) {
      marks[static_cast<std::size_t>(rank)] = 1;
      counts[static_cast<std::size_t>(sites_[static_cast<std::size_t>(rank)])] += 1;
    }
  }

  const std::vector<int>& sites_;
  std::vector<char> is_holder_;
  std::vector<char> is_receiver_;

 public:
  std::vector<double> holders;    // by site
  std::vector<double> receivers;  // by site
};

void add_flat(const Segment& segment, const Census& census, Leg& collecting, Leg& distributing) {
  const double bytes = bytes_of(segment);
  const auto holders = static_cast<double>(segment.holders.size());
  const auto receivers = static_cast<double>(segment.receivers.size());
  const double part = bytes / holders;
  for (const int rank : segment.holders) {
    Load& values = collecting.workers[static_cast<std::size_t>(rank)];
    values.sent += part * (holders - 1);
    values.received += part * (holders - 1);
    distributing.workers[static_cast<std::size_t>(rank)].sent +=
        part * (receivers - (census.is_receiver(rank) ? 1 : 0));
  }
  for (const int rank : segment.receivers) {
    distributing.workers[static_cast<std::size_t>(rank)].received += bytes - (census.is_holder(rank) ? part : 0);
  }
  for (std::size_t site = 0; site < census.holders.size(); ++site) {
    const double held_here = census.holders[site];
    const double wanted_here = census.receivers[site];
    collecting.uplinks[site].sent += held_here * (holders - held_here) * part;
    collecting.uplinks[site].received += held_here * (holders - held_here) * part;
    distributing.uplinks[site].sent += held_here * (receivers - wanted_here) * part;
    distributing.uplinks[site].received += wanted_here * (holders - held_here) * part;
  }
}

void add_inside(const Segment& segment, const Census& census, const std::vector<int>& sites, Leg& collecting,
                Leg& distributing) {
  const double bytes = bytes_of(segment);
  const auto site_of = [&](int rank) { return static_cast<std::size_t>(sites[static_cast<std::size_t>(rank)]); };
  for (const int rank : segment.holders) {
    const double holders = census.holders[site_of(rank)];
    Load& values = collecting.workers[static_cast<std::size_t>(rank)];
    values.sent += bytes * (holders - 1) / holders;
    values.received += bytes * (holders - 1) / holders;
    const double others = census.receivers[site_of(rank)] - (census.is_receiver(rank) ? 1 : 0);
    distributing.workers[static_cast<std::size_t>(rank)].sent += bytes / holders * others;
  }
  for (const int rank : segment.receivers) {
    // Where a site has no holder its receivers own what comes from other sites.
    const double holders = census.holders[site_of(rank)];
    const double owners = holders > 0 ? holders : census.receivers[site_of(rank)];
    const double own = holders == 0 || census.is_holder(rank) ? bytes / owners : 0;
    Load& load = distributing.workers[static_cast<std::size_t>(rank)];
    load.received += bytes - own;
    load.sent += holders == 0 ? own * (owners - 1) : 0;
  }
}

void add_between(const Segment& segment, const Census& census, const std::vector<int>& sites, Leg& between) {
  const double bytes = bytes_of(segment);
  double holding = 0;  // sites that have holders
  double wanting = 0;  // sites that have receivers
  for (std::size_t site = 0; site < census.holders.size(); ++site) {
    holding += census.holders[site] > 0 ? 1 : 0;
    wanting += census.receivers[site] > 0 ? 1 : 0;
  }
  std::vector<Load> by_site(census.holders.size());
  for (std::size_t site = 0; site < by_site.size(); ++site) {
    const bool holds = census.holders[site] > 0;
    const bool wants = census.receivers[site] > 0;
    const double of_others = bytes * (holding - 1) / holding;
    if (holds) {
      by_site[site].sent = of_others + bytes / holding * (wanting - (wants ? 1 : 0));
      by_site[site].received = of_others + (wants ? of_others : 0);
    } else if (wants) {
      by_site[site].received = bytes;
    }
    between.uplinks[site].sent += by_site[site].sent;
    between.uplinks[site].received += by_site[site].received;
  }
  const auto add = [&](int rank, const std::vector<double>& counts) {
    const auto site = static_cast<std::size_t>(sites[static_cast<std::size_t>(rank)]);
    between.workers[static_cast<std::size_t>(rank)].sent += by_site[site].sent / counts[site];
    between.workers[static_cast<std::size_t>(rank)].received += by_site[site].received / counts[site];
  };
  for (const int rank : segment.holders) {
    add(rank, census.holders);
  }
  for (const int rank : segment.receivers) {
    if (census.holders[static_cast<std::size_t>(sites[static_cast<std::size_t>(rank)])] == 0) {
      add(rank, census.receivers);
    }
  }
}

// Workers on each site.
std::vector<double> populations(const std::vector<int>& sites, int site_count) {
  std::vector<double> counts(static_cast<std::size_t>(site_count));
  for (const int site : sites) {
    counts[static_cast<std::size_t>(site)] += 1;
  }
  return counts;
}

}  // namespace

std::vector<Leg> flat_loads(const std::vector<Segment>& segments, const std::vector<int>& sites, int site_count) {
  Leg collecting = empty_leg(sites.size(), site_count);
  Leg distributing = empty_leg(sites.size(), site_count);
  Census census(sites, site_count);
  for (const Segment& segment : segments) {
    census.count(segment);
    add_flat(segment, census, collecting, distributing);
  }
  const auto workers = static_cast<double>(sites.size());
  double at_home = 0;  // ordered pairs on one site
  for (const double count : populations(sites, site_count)) {
    at_home += count * (count - 1);
  }
  for (Leg* leg : {&collecting, &distributing}) {
    const bool empty = std::ranges::all_of(leg->workers, [](const Load& load) { return load.sent == 0; });
    leg->steps = empty ? 0 : workers - 1;
    leg->crossing = workers > 1 ? 1 - at_home / (workers * (workers - 1)) : 0;
  }
  return {std::move(collecting), std::move(distributing)};
}

std::vector<Leg> hierarchical_loads(const std::vector<Segment>& segments, const std::vector<int>& sites,
                                    int site_count) {
  Leg collecting = empty_leg(sites.size(), site_count);
  Leg between = empty_leg(sites.size(), site_count);
  Leg distributing = empty_leg(sites.size(), site_count);
  Census census(sites, site_count);
  for (const Segment& segment : segments) {
    census.count(segment);
    add_inside(segment, census, sites, collecting, distributing);
    add_between(segment, census, sites, between);
  }
  const std::vector<double> counts = populations(sites, site_count);
  const auto used = static_cast<double>(std::ranges::count_if(counts, [](double count) { return count > 0; }));
  collecting.steps = distributing.steps = std::ranges::max(counts) - 1;
  between.steps = 2 * (used - 1);
  between.crossing = 1;
  between.inside_order = false;
  return {std::move(collecting), std::move(between), std::move(distributing)};
}

std::vector<Load> total_loads(const std::vector<Leg>& legs) {
  std::vector<Load> total(legs.front().workers.size());
  for (const Leg& leg : legs) {
    for (std::size_t rank = 0; rank < total.size(); ++rank) {
      total[rank].sent += leg.workers[rank].sent;
      total[rank].received += leg.workers[rank].received;
    }
  }
  return total;
}

}  // namespace resist
