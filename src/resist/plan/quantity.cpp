#include "resist/plan/quantity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "resist/config/codec.h"

namespace resist {
namespace {

struct Unit {
  std::string_view suffix;
  std::string_view words;
  double factor;
};

struct Kind {
  std::span<const Unit> units;  // ascending
  double least;
  double most;
  const char* allowed;
};

constexpr auto kBandwidths = std::to_array<Unit>(
    {{"kbit", "kbit/s", 1e3}, {"mbit", "Mbit/s", 1e6}, {"gbit", "Gbit/s", 1e9}, {"tbit", "Tbit/s", 1e12}});
constexpr auto kDurations = std::to_array<Unit>({{"us", "us", 1e-6}, {"ms", "ms", 1e-3}, {"s", "s", 1}});
constexpr auto kSpeeds = std::to_array<Unit>(
    {{"mflops", "Mflop/s", 1e6}, {"gflops", "Gflop/s", 1e9}, {"tflops", "Tflop/s", 1e12}, {"pflops", "Pflop/s", 1e15}});

Kind kind_of(Quantity quantity) {
  switch (quantity) {
    case Quantity::bandwidth:
      return {kBandwidths, 1e3, 1e15,
              "a number followed by kbit, mbit, gbit or tbit, such as 100mbit, from 1kbit to 1000tbit"};
    case Quantity::duration:
      return {kDurations, 0, 3600, "a number followed by us, ms or s, such as 20ms, up to 3600s"};
    case Quantity::speed:
      break;
  }
  return {kSpeeds, 1e6, 1e18,
          "a number followed by mflops, gflops, tflops or pflops, such as 40gflops, from 1mflops to 1000pflops"};
}

}  // namespace

double parse_quantity(const std::string& flag, const std::string& text, Quantity quantity) {
  const Kind kind = kind_of(quantity);
  for (const Unit& unit : kind.units) {
    if (!text.ends_with(unit.suffix)) {
      continue;
    }
    const auto number = parse_number<double>(std::string_view(text).substr(0, text.size() - unit.suffix.size()));
    if (number && *number * unit.factor >= kind.least && *number * unit.factor <= kind.most) {
      return *number * unit.factor;
    }
  }
  refuse(flag, text, kind.allowed, {});
}

std::vector<double> parse_quantities(const std::string& flag, const std::string& text, Quantity quantity) {
  std::vector<double> values;
  for (const std::string& part : split_commas(text)) {
    values.push_back(parse_quantity(flag, part, quantity));
  }
  return values;
}

std::string in_words(double value, Quantity quantity) {
  const auto units = kind_of(quantity).units;
  const auto larger = std::ranges::upper_bound(units, value, {}, &Unit::factor);
  const Unit& unit = larger == units.begin() ? units.front() : *(larger - 1);
  return fmt::format("{:.3g} {}", value / unit.factor, unit.words);
}

}  // namespace resist
