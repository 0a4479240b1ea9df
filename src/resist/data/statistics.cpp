#include "resist/data/statistics.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "resist/core/error.h"
#include "resist/core/file.h"
#include "resist/data/input_rule.h"

namespace resist {
namespace {

std::filesystem::path cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && std::filesystem::path(cache).is_absolute()) {
    return std::filesystem::path(cache) / "resist";
  }
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') {
    return std::filesystem::path(home) / ".cache" / "resist";
  }
  return {};
}

bool usable(const ChannelStatistics& statistics, int channels) {
  const auto is_mean = [](float value) { return value >= 0 && value <= 1; };
  const auto is_stddev = [](float value) { return value > 0 && value <= 1; };
  const auto count = static_cast<std::size_t>(channels);
  return statistics.mean.size() == count && statistics.stddev.size() == count &&
         std::all_of(statistics.mean.begin(), statistics.mean.end(), is_mean) &&
         std::all_of(statistics.stddev.begin(), statistics.stddev.end(), is_stddev);
}

std::optional<ChannelStatistics> load(const std::filesystem::path& path, int channels) {
  try {
    const auto json = nlohmann::json::parse(read_file(path, 1 << 16));
    ChannelStatistics statistics{.mean = json.at("mean").get<std::vector<float>>(),
                                 .stddev = json.at("stddev").get<std::vector<float>>()};
    if (usable(statistics, channels)) {
      return statistics;
    }
  } catch (const std::exception& error) {
    spdlog::debug("no cached normalisation: {}", error.what());
  }
  return std::nullopt;
}

void store(const std::filesystem::path& path, const ChannelStatistics& statistics) {
  try {
    std::filesystem::create_directories(path.parent_path());
    const nlohmann::json json = {{"mean", statistics.mean}, {"stddev", statistics.stddev}};
    write_file_atomically(path, json.dump() + "\n");
  } catch (const std::exception& error) {
    spdlog::debug("the normalisation is not cached: {}", error.what());
  }
}

}  // namespace

ChannelStatistics channel_statistics(const Dataset& dataset, const DatasetInfo& info, std::int64_t most_samples) {
  const auto channels = static_cast<std::size_t>(info.channels);
  const auto plane = static_cast<std::size_t>(info.height) * static_cast<std::size_t>(info.width);
  const Framing framing = info.evaluation_framing();
  std::int64_t samples = 0;
  std::vector<std::uint64_t> sums(channels);
  std::vector<std::uint64_t> squares(channels);
  std::vector<std::uint8_t> buffer(channels * plane);
  for (const std::int64_t index : evenly_spaced(dataset.size(), most_samples)) {
    const auto pixels = dataset.read(index, framing, buffer);
    if (pixels.empty()) {
      continue;
    }
    ++samples;
    for (std::size_t channel = 0; channel < channels; ++channel) {
      for (const std::uint64_t value : pixels.subspan(channel * plane, plane)) {
        sums[channel] += value;
        squares[channel] += value * value;
      }
    }
  }
  if (samples == 0) {
    throw InputError(
        fmt::format("none of the pictures of {} that its normalisation is computed from can be used", info.name));
  }
  ChannelStatistics statistics;
  const double count = static_cast<double>(samples) * static_cast<double>(plane);
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const double mean = static_cast<double>(sums[channel]) / count;
    const double variance = std::max(0.0, static_cast<double>(squares[channel]) / count - mean * mean);
    // Below a thousandth of a grey level it is rounding.
    const double stddev = variance > 1e-6 ? std::sqrt(variance) / 255 : 1;
    statistics.mean.push_back(static_cast<float>(mean / 255));
    statistics.stddev.push_back(static_cast<float>(stddev));
  }
  return statistics;
}

ChannelStatistics cached_channel_statistics(const std::string& key, const Dataset& dataset, const DatasetInfo& info,
                                            std::int64_t most_samples) {
  const std::filesystem::path folder = cache_folder();
  const std::filesystem::path path = folder / ("normalisation-" + key + ".json");
  if (!folder.empty()) {
    if (auto cached = load(path, info.channels)) {
      return *std::move(cached);
    }
  }
  spdlog::info("computing the normalisation of {} from {} pictures", info.name, std::min(dataset.size(), most_samples));
  ChannelStatistics statistics = channel_statistics(dataset, info, most_samples);
  if (!folder.empty()) {
    store(path, statistics);
  }
  return statistics;
}

}  // namespace resist
