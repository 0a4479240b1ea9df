#include "resist/simulate/replica_groups.h"

#include <algorithm>
#include <deque>

namespace resist {
namespace {

constexpr double kBits = 8;

// What a worker sends in a meeting, and receives.
struct GroupLoad {
  double bytes = 0;  // all workers of a group
  double busiest = 0;
  double seconds = 0;  // of the slowest link
};

// `share`: of what a worker owns, 2 (G - 1) / G.
GroupLoad load_of(const Job& job, const Cluster& cluster, double share, std::vector<double>& uplinks, double crossing) {
  GroupLoad load;
  const RoundCosts& costs = job.costs();
  for (std::size_t rank = 0; rank < job.members().size(); ++rank) {
    double owned = costs.shared_bytes() / static_cast<double>(job.members().size());
    for (const int block : job.assignment().held(static_cast<int>(rank))) {
      owned += costs.block_bytes(block) / static_cast<double>(job.assignment().holders(block).size());
    }
    const int worker = job.members()[rank];
    const double bytes = share * owned;
    load.bytes += bytes;
    load.busiest = std::max(load.busiest, bytes);
    load.seconds = std::max(load.seconds, costs.link_seconds(worker, bytes) + 2 * bytes * cluster.model.handling);
    uplinks[static_cast<std::size_t>(cluster.site(worker))] += crossing * bytes;
  }
  return load;
}

// The share of the other groups that is on other sites.
double crossing_of(const Job& job, const std::vector<Job*>& jobs, const Cluster& cluster) {
  const int site = cluster.site(job.members().front());
  const auto elsewhere =
      std::ranges::count_if(jobs, [&](const Job* other) { return cluster.site(other->members().front()) != site; });
  return static_cast<double>(elsewhere) / static_cast<double>(jobs.size() - 1);
}

void meet(std::deque<Job>& all, const Cluster& cluster) {
  std::vector<Job*> jobs;
  for (Job& job : all) {
    if (!job.stalled()) {
      jobs.push_back(&job);
    }
  }
  if (jobs.size() < 2) {
    return;
  }
  const auto groups = static_cast<double>(jobs.size());
  const double share = 2 * (groups - 1) / groups;
  std::vector<double> uplinks(static_cast<std::size_t>(cluster.model.sites), 0);
  std::vector<GroupLoad> loads;
  std::vector<int> speakers;  // one of each group
  double begin = 0;
  double links = 0;
  double inside = 0;
  double farthest = 0;
  for (const Job* job : jobs) {
    begin = std::max(begin, job->clock());
    const double crossing = crossing_of(*job, jobs, cluster);
    loads.push_back(load_of(*job, cluster, share, uplinks, crossing));
    links = std::max(links, loads.back().seconds);
    inside = std::max(inside, job->costs().control_seconds(job->members()));
    speakers.push_back(job->members().front());
    const double latency = cluster.links[static_cast<std::size_t>(speakers.back())].latency;
    farthest = std::max(farthest, 2 * latency + 2 * crossing * cluster.model.uplink_latency);
  }
  if (cluster.model.sites > 1) {
    links = std::max(links, std::ranges::max(uplinks) * kBits * kFraming / cluster.model.uplink_bandwidth);
  }
  const double steps = 2 * (groups - 1);
  const double control = jobs.front()->costs().control_seconds(speakers) + inside;
  const double end = begin + links + steps * 3 * farthest + control;
  for (std::size_t group = 0; group < jobs.size(); ++group) {
    jobs[group]->meet(end, loads[group].bytes, loads[group].busiest);
  }
}

}  // namespace

Outcome run_jobs(const SimulationSetup& setup) {
  const SimulationOptions& options = setup.options;
  std::deque<Job> jobs;
  const std::int64_t workers = options.cluster.workers;
  for (std::int64_t group = 0; group < options.groups; ++group) {
    const auto first = static_cast<int>(workers * group / options.groups);
    jobs.emplace_back(setup, first, static_cast<int>(workers * (group + 1) / options.groups) - first);
  }
  Outcome outcome;
  const auto all_stalled = [&] { return std::ranges::all_of(jobs, &Job::stalled); };
  for (std::int64_t round = 1; round <= options.rounds && !all_stalled(); ++round) {
    for (Job& job : jobs) {
      if (!job.stalled()) {
        job.run_round();
      }
    }
    if (round % options.group_rounds == 0 || round == options.rounds) {
      meet(jobs, setup.cluster);
    }
  }
  outcome.rounds = options.rounds;
  for (const Job& job : jobs) {
    outcome.tally += job.tally();
    outcome.seconds = std::max(outcome.seconds, job.clock());
    outcome.rounds = std::min(outcome.rounds, job.rounds());
    outcome.most_rounds = std::max(outcome.most_rounds, job.rounds());
    outcome.stalled_groups += job.stalled() ? 1 : 0;
  }
  return outcome;
}

}  // namespace resist
