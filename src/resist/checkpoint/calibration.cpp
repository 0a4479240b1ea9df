#include "resist/checkpoint/calibration.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "resist/checkpoint/checkpoint_folder.h"
#include "resist/checkpoint/manifest.h"
#include "resist/checkpoint/safetensors.h"
#include "resist/core/error.h"
#include "resist/core/file.h"
#include "resist/core/hash.h"
#include "resist/core/json_text.h"
#include "resist/data/dataset_json.h"

namespace resist {
namespace {

constexpr const char* kFormat = "resist-calibration";
constexpr std::string_view kMean = ".running_mean";
constexpr std::string_view kVariance = ".running_var";

std::filesystem::path path_of(const std::filesystem::path& run_dir, std::int64_t round) {
  return run_dir / "calibration" / fmt::format("round-{:06}.safetensors", round);
}

// Tells a round's checkpoint from another of the same round; empty: there is none.
std::string checkpoint_digest(const std::filesystem::path& run_dir, std::int64_t round) {
  const auto folders = list_round_folders(run_dir);
  const auto folder = folders.find(round);
  return folder == folders.end() ? "" : hash_text(read_file(folder->second / kManifestFile));
}

std::int64_t whole(const nlohmann::json& value) {
  if (!value.is_number_integer()) {
    throw InputError("its metadata has a number that is not whole");
  }
  return value.get<std::int64_t>();
}

// Nothing where it belongs to another checkpoint than `digest` says.
std::optional<Calibration> read(const std::filesystem::path& path, const std::string& digest) {
  const SafetensorsReader reader(path);
  const auto value = [&](const char* key) {
    const auto found = reader.metadata().find(key);
    if (found == reader.metadata().end()) {
      throw InputError(fmt::format("its metadata has no \"{}\"", key));
    }
    return parse_strict_json(found->second, key);
  };
  Calibration calibration;
  try {
    if (value("format") != kFormat) {
      throw InputError("it is no calibration");
    }
    if (value("checkpoint") != digest) {
      spdlog::warn("'{}' belongs to an earlier checkpoint of that round and is not used", path.string());
      return std::nullopt;
    }
    calibration.round = whole(value("round"));
    calibration.samples = whole(value("samples"));
    calibration.scales = value("scales").get<std::vector<double>>();
    calibration.info = dataset_info_from_json(value("data"));
  } catch (const nlohmann::json::exception&) {
    throw InputError("its metadata is not what a calibration's is");
  }
  for (const TensorSpec& tensor : reader.tensors()) {
    const bool mean = tensor.name.ends_with(kMean);
    if ((!mean && !tensor.name.ends_with(kVariance)) || tensor.shape.size() != 1) {
      throw InputError(fmt::format("its tensor {} is no norm's", in_quotes(tensor.name)));
    }
    ChannelMoments& moments =
        calibration.statistics[tensor.name.substr(0, tensor.name.size() - (mean ? kMean : kVariance).size())];
    std::vector<float>& values = mean ? moments.mean : moments.variance;
    values.resize(static_cast<std::size_t>(tensor.shape[0]));
    reader.read(tensor.name, values);
    if (!std::ranges::all_of(values, [&](float number) { return std::isfinite(number) && (mean || number >= 0); })) {
      throw InputError(fmt::format("its tensor {} is not finite, or a variance below 0", in_quotes(tensor.name)));
    }
  }
  return calibration;
}

}  // namespace

void write_calibration(const std::filesystem::path& run_dir, const Calibration& calibration) {
  std::vector<TensorSpec> tensors;
  for (const auto& [name, moments] : calibration.statistics) {
    const auto channels = static_cast<std::int64_t>(moments.mean.size());
    tensors.push_back({.name = fmt::format("{}{}", name, kMean), .shape = {channels}});
    tensors.push_back({.name = fmt::format("{}{}", name, kVariance), .shape = {channels}});
  }
  const std::filesystem::path path = path_of(run_dir, calibration.round);
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) {
    throw Error(fmt::format("can't make the folder '{}': {}", path.parent_path().string(), error.message()));
  }
  replace_file(path, [&](const std::filesystem::path& unfinished) {
    SafetensorsWriter writer(unfinished, tensors,
                             {{"format", nlohmann::json(kFormat).dump()},
                              {"checkpoint", nlohmann::json(checkpoint_digest(run_dir, calibration.round)).dump()},
                              {"round", nlohmann::json(calibration.round).dump()},
                              {"samples", nlohmann::json(calibration.samples).dump()},
                              {"scales", nlohmann::json(calibration.scales).dump()},
                              {"data", to_json(calibration.info).dump()}});
    for (const auto& [name, moments] : calibration.statistics) {
      writer.append(moments.mean);
      writer.append(moments.variance);
    }
    writer.finish();
  });
}

std::optional<Calibration> read_calibration(const std::filesystem::path& run_dir, std::int64_t round) {
  const std::filesystem::path path = path_of(run_dir, round);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return std::nullopt;
  }
  try {
    return read(path, checkpoint_digest(run_dir, round));
  } catch (const InputError& fault) {
    throw InputError(fmt::format("can't use '{}': {}; 'resist calibrate {}' makes it anew", path.string(), fault.what(),
                                 run_dir.string()));
  }
}

void check_calibration(const Calibration& calibration, const Layout& layout) {
  const auto norms = norm_channels(layout);
  bool fits = calibration.scales.size() == layout.decks.size() && calibration.statistics.size() == norms.size() &&
              std::ranges::all_of(calibration.scales, [](double scale) { return scale > 0 && scale <= 1; });
  for (const auto& [name, channels] : norms) {
    const auto found = calibration.statistics.find(name);
    fits = fits && found != calibration.statistics.end() &&
           found->second.mean.size() == static_cast<std::size_t>(channels) &&
           found->second.variance.size() == static_cast<std::size_t>(channels);
  }
  if (!fits) {
    throw InputError(fmt::format("the calibration of round {} is of another network; 'resist calibrate' makes it anew",
                                 calibration.round));
  }
}

}  // namespace resist
