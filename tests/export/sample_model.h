#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "resist/config/enum_words.h"
#include "resist/export/deployed_model.h"
#include "support/random_values.h"

namespace resist {

// Every kind of network, small, nothing partitioned.
inline std::vector<NetworkSpec> every_kind() {
  std::vector<NetworkSpec> kinds;
  for (const BlockType block : {BlockType::preact, BlockType::postact}) {
    for (const bool bottleneck : {false, true}) {
      for (const Stem stem : {Stem::conv3, Stem::conv7}) {
        for (const bool final_norm : {false, true}) {
          kinds.push_back({.block = block,
                           .bottleneck = bottleneck,
                           .stem = stem,
                           .final_norm = final_norm,
                           .depths = {1, 2, 3},
                           .width = 4,
                           .classes = 5,
                           .height = 29,
                           .image_width = 38,
                           .partition_sections = {}});
        }
      }
    }
  }
  return kinds;
}

inline std::string kind_of(const NetworkSpec& spec) {
  return fmt::format("{}{} {}{}", to_word(spec.block), spec.bottleneck ? " bottleneck" : "", to_word(spec.stem),
                     spec.final_norm ? " final norm" : "");
}

inline DatasetInfo sample_info(const NetworkSpec& spec) {
  return {.name = "flowers",
          .channels = spec.channels,
          .height = spec.height,
          .width = spec.image_width,
          .classes = spec.classes,
          .class_names = {"aster", "rose \"wild\"", "tulip", "\xc3\xa9glantine", ""},
          .mean = {0.48F, 0.45F, 0.4F},
          .stddev = {0.22F, 0.21F, 0.23F},
          .own_sizes = true};
}

// Means in -1..1 and variances in 0..1.
inline NormStatistics sample_statistics(const Layout& layout) {
  NormStatistics statistics;
  std::uint64_t seed = 100;
  for (const auto& [norm, channels] : norm_channels(layout)) {
    ChannelMoments moments{.mean = random_values(channels, seed++), .variance = random_values(channels, seed++)};
    for (float& variance : moments.variance) {
      variance = std::abs(variance);
    }
    statistics.emplace(norm, std::move(moments));
  }
  return statistics;
}

// With random parameters.
inline DeployedModel sample_model(const NetworkSpec& spec) {
  const Layout layout = make_layout(spec);
  return {.spec = spec,
          .layout = layout,
          .values = random_values(layout.shared_size, 1),
          .statistics = sample_statistics(layout),
          .scales = {0.5, 1.0 / 3},
          .scaled_sections = {2, 3},
          .info = sample_info(spec)};
}

}  // namespace resist
