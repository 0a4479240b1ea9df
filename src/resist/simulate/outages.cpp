#include "resist/simulate/outages.h"

#include <tuple>

namespace resist {
namespace {

constexpr double kHour = 3600;

}  // namespace

// Ties go by worker, so that the order is the same everywhere.
bool Outages::Later::operator()(const Outage& a, const Outage& b) const {
  return std::tuple(a.seconds, a.worker, a.returns) > std::tuple(b.seconds, b.worker, b.returns);
}

Outages::Outages(const Cluster& cluster, int first, int workers)
    : cluster_(cluster), first_(first), deaths_(static_cast<std::size_t>(workers), 0) {
  for (int worker = first; worker < first + workers; ++worker) {
    draw_death(worker, 0);
  }
  for (const Outage& outage : cluster.model.known_outages) {
    if (outage.worker >= first && outage.worker < first + workers) {
      known_.push(outage);
    }
  }
}

void Outages::draw_death(int worker, double from) {
  if (cluster_.model.failures_per_hour == 0) {
    return;
  }
  const std::int64_t life = deaths_[static_cast<std::size_t>(worker - first_)]++;
  const ClusterDraws& draws = cluster_.draws;
  const double lives =
      draws.exponential(ClusterDraws::Kind::life, worker, life, kHour / cluster_.model.failures_per_hour);
  const bool cut_off = draws.uniform(ClusterDraws::Kind::cut_off, worker, life) < cluster_.model.cut_off_share;
  drawn_.push({.seconds = from + lives, .worker = worker, .returns = false, .cut_off = cut_off});
}

void Outages::draw_return(int worker, double from) {
  if (cluster_.model.return_seconds == 0) {
    return;
  }
  const std::int64_t absence = deaths_[static_cast<std::size_t>(worker - first_)];
  const double absent =
      cluster_.draws.exponential(ClusterDraws::Kind::absence, worker, absence, cluster_.model.return_seconds);
  drawn_.push({.seconds = from + absent, .worker = worker, .returns = true});
}

std::optional<Outage> Outages::take(double until) {
  const bool from_known = !known_.empty() && (drawn_.empty() || Later()(drawn_.top(), known_.top()));
  auto& queue = from_known ? known_ : drawn_;
  if (queue.empty() || queue.top().seconds > until) {
    return std::nullopt;
  }
  const Outage outage = queue.top();
  queue.pop();
  if (!from_known) {
    if (outage.returns) {
      draw_death(outage.worker, outage.seconds);
    } else {
      draw_return(outage.worker, outage.seconds);
    }
  }
  return outage;
}

}  // namespace resist
