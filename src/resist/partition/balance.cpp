#include "resist/partition/balance.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "resist/partition/training_method.h"

namespace resist {
namespace {

constexpr int kLeastRounds = 3;
constexpr double kWorthIt = 1.03;  // how much shorter an iteration must become

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// Seconds per operation, by rank. Empty: nobody's is known.
std::vector<double> usual_paces(const std::vector<Pace>& paces) {
  std::vector<double> known;
  for (const Pace& pace : paces) {
    if (const auto usual = pace.usual()) {
      known.push_back(*usual);
    }
  }
  if (known.empty()) {
    return {};
  }
  const double others = median(known);
  std::vector<double> all;
  all.reserve(paces.size());
  for (const Pace& pace : paces) {
    all.push_back(pace.usual().value_or(others));
  }
  return all;
}

double operations_of(const SubnetworkCost& cost, const std::vector<int>& hand) {
  double operations = cost.shared;
  for (std::size_t deck = 0; deck < hand.size(); ++deck) {
    operations += hand[deck] * cost.block[deck];
  }
  return operations;
}

double slowest(const SubnetworkCost& cost, const std::vector<double>& paces, const Hands& hands) {
  double most = 0;
  for (std::size_t worker = 0; worker < hands.size(); ++worker) {
    most = std::max(most, paces[worker] * operations_of(cost, hands[worker]));
  }
  return most;
}

class SpeedBalance : public BlockBalance {
 public:
  SpeedBalance(std::vector<DeckSize> decks, DealingRule rule, SubnetworkCost cost)
      : decks_(std::move(decks)), rule_(rule), cost_(std::move(cost)) {}

  Hands next_hands(std::int64_t /*generation*/, std::int64_t /*round*/, const std::vector<Pace>& paces,
                   const Hands& now) const override {
    return balanced_hands(decks_, rule_, cost_, paces, now);
  }

 private:
  std::vector<DeckSize> decks_;
  DealingRule rule_;
  SubnetworkCost cost_;
};

}  // namespace

void Pace::add(double seconds_per_operation) {
  if (!std::isfinite(seconds_per_operation) || seconds_per_operation <= 0) {
    return;
  }
  if (rounds == kRounds) {
    std::shift_left(seconds.begin(), seconds.end(), 1);
    --rounds;
  }
  seconds[rounds++] = seconds_per_operation;
}

std::optional<double> Pace::usual() const {
  return rounds < kLeastRounds ? std::nullopt : std::optional(median({seconds.begin(), seconds.begin() + rounds}));
}

Hands balanced_hands(const std::vector<DeckSize>& decks, const DealingRule& rule, const SubnetworkCost& cost,
                     const std::vector<Pace>& paces, const Hands& now) {
  const int workers = static_cast<int>(paces.size());
  const Hands equal = equal_hands(decks, workers, rule);
  const Hands& kept = now.empty() ? equal : now;
  const std::vector<double> usual = usual_paces(paces);
  if (usual.empty()) {
    return kept;
  }
  Hands best = least_hands(decks, workers, rule);
  for (std::size_t deck = 0; deck < decks.size(); ++deck) {
    // One block after the other goes to whoever is first done with it.
    const int blocks = decks[deck].blocks;
    for (int left = workers * (equal[0][deck] - best[0][deck]); left > 0; --left) {
      int chosen = -1;
      double earliest = 0;
      for (int worker = 0; worker < workers; ++worker) {
        const double done = usual[worker] * (operations_of(cost, best[worker]) + cost.block[deck]);
        if (best[worker][deck] < blocks && (chosen < 0 || done < earliest)) {
          chosen = worker;
          earliest = done;
        }
      }
      ++best[chosen][deck];
    }
  }
  return slowest(cost, usual, kept) < kWorthIt * slowest(cost, usual, best) ? kept : best;
}

std::shared_ptr<const BlockBalance> make_balance(const PartitionOptions& options, const std::vector<DeckSize>& decks,
                                                 SubnetworkCost cost) {
  return options.balance == Balance::none
             ? nullptr
             : std::make_shared<SpeedBalance>(decks, dealing_rule(options), std::move(cost));
}

}  // namespace resist
