#include "resist/cli/bandwidth.h"

#include <array>
#include <string_view>
#include <utility>

#include "resist/config/codec.h"

namespace resist {

double parse_bandwidth(const std::string& text) {
  constexpr auto kUnits =
      std::to_array<std::pair<std::string_view, double>>({{"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {"tbit", 1e12}});
  constexpr double kLeast = 1e3;
  constexpr double kMost = 1e15;
  for (const auto& [unit, factor] : kUnits) {
    if (!text.ends_with(unit)) {
      continue;
    }
    const auto number = parse_number<double>(std::string_view(text).substr(0, text.size() - unit.size()));
    if (number && *number * factor >= kLeast && *number * factor <= kMost) {
      return *number * factor;
    }
  }
  refuse("--bandwidth", text, "a number followed by kbit, mbit, gbit or tbit, such as 100mbit, from 1kbit to 1000tbit",
         {});
}

}  // namespace resist
