#include "resist/plan/recommendation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "resist/config/enum_words.h"
#include "resist/plan/quantity.h"

namespace resist {
namespace {

double seconds(const MethodForecast& method) {
  return method.forecast.seconds();
}

std::string bottleneck(const MethodForecast& method) {
  if (std::isinf(method.balanced_bandwidth)) {
    return "its synchronisation takes longer than its local steps over any link";
  }
  return fmt::format("the link is its bottleneck below {}", in_words(method.balanced_bandwidth, Quantity::bandwidth));
}

}  // namespace

std::string recommend(const std::vector<MethodForecast>& methods) {
  std::vector<MethodForecast> sorted = methods;
  std::ranges::stable_sort(sorted, {}, seconds);
  const MethodForecast& first = sorted.front();
  std::vector<std::string> others;
  for (const MethodForecast& other : sorted) {
    if (&other != &first) {
      others.push_back(
          fmt::format("{:.3g} times sooner than {}", seconds(other) / seconds(first), to_word(other.method)));
    }
  }
  if (others.empty()) {
    return fmt::format("{}: {}", to_word(first.method), bottleneck(first));
  }
  return fmt::format("{} finishes {}; {}", to_word(first.method), fmt::join(others, " and "), bottleneck(first));
}

}  // namespace resist
