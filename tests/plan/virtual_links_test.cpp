// What exchange() really does, over links of virtual time, takes as long as the plan says.
#include "support/virtual_links.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "resist/comm/collectives.h"
#include "resist/model/layout.h"
#include "resist/partition/training_method.h"
#include "resist/plan/link.h"
#include "resist/sync/sync_plan.h"
#include "resist/sync/synchronise.h"
#include "support/workers.h"

namespace resist {
namespace {

// Seconds until the last worker is through with what `work` does.
template <typename Work>
double virtual_seconds(const std::vector<Link>& links, const Work& work) {
  std::vector<double> seconds(links.size());
  run_in_process(static_cast<int>(links.size()), [&](Communicator& communicator) {
    VirtualLinks virtual_links(communicator, links);
    work(virtual_links);
    seconds[static_cast<std::size_t>(communicator.rank())] = virtual_links.now();
  });
  return std::ranges::max(seconds);
}

std::vector<Link> links_of(int workers, double spread, double latency) {
  std::vector<Link> links;
  links.reserve(static_cast<std::size_t>(workers));
  for (int worker = 0; worker < workers; ++worker) {
    links.push_back({.bandwidth = 1e8 / (1 + spread * worker), .latency = latency * (1 + worker % 3)});
  }
  return links;
}

TEST(VirtualLinks, ASynchronisationTakesWhatIsForecast) {
  const NetworkSpec spec{.depths = {1, 1, 9, 1}, .width = 8};
  const Layout layout = make_layout(spec);
  const Config config;
  for (const int workers : {2, 3, 8}) {
    const auto method = make_method(config, deck_sizes(layout), workers);
    const Placement now = make_placement(layout, *method, 0, false);
    const Placement next = make_placement(layout, *method, 1, false);
    for (const double spread : {0.0, 0.3}) {
      for (const double latency : {0.0, 0.001, 0.1}) {
        const auto links = links_of(workers, spread, latency);
        const double seconds = virtual_seconds(links, [&](Communicator& communicator) {
          const SyncPlan plan = make_sync_plan(layout, sources_of(now.assignment), next.assignment);
          const std::vector<float> live(static_cast<std::size_t>(now.arena.size()), 1.0F);
          std::vector<float> staged(static_cast<std::size_t>(next.arena.size()));
          const int rank = communicator.rank();
          synchronise(communicator, plan, group_memory(now, rank, live.data(), next, rank, staged.data()), 7);
        });
        const ExchangePlan plan = make_sync_plan(layout, sources_of(now.assignment), next.assignment).exchange;
        const double forecast = exchange_seconds(transfer_steps(plan), links);
        EXPECT_NEAR(seconds, forecast, 1e-3 * forecast) << workers << " workers, " << spread << ", " << latency;
      }
    }
  }
}

TEST(VirtualLinks, SmallMessagesTakeTheirWays) {
  const std::vector<Link> links(6, Link{.bandwidth = 1e12, .latency = 0.05});
  EXPECT_NEAR(virtual_seconds(links, [](Communicator& communicator) { all_gather_value(communicator, 1, 7); }),
              gather_seconds(links), 1e-6);
  EXPECT_NEAR(virtual_seconds(links, [](Communicator& communicator) { communicator.barrier(); }),
              barrier_seconds(links), 1e-6);
}

}  // namespace
}  // namespace resist
