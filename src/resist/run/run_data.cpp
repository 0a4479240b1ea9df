#include "resist/run/run_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "resist/core/error.h"
#include "resist/core/file.h"
#include "resist/core/json_fields.h"
#include "resist/data/dataset_json.h"

namespace resist {
namespace {

constexpr double kRounding = 1e-5;  // of a mean that another build or machine computes
constexpr std::size_t kMostBytes = std::size_t{64} << 20;

struct RunData {
  DatasetInfo info;
  std::int64_t training_samples = 0;
};

std::filesystem::path path_in(const std::filesystem::path& run_dir) {
  return run_dir / "data.json";
}

bool has_run_data(const std::filesystem::path& run_dir) {
  std::error_code ignored;
  return std::filesystem::exists(path_in(run_dir), ignored);
}

// Nothing where the run was made without one.
std::optional<RunData> read_run_data(const std::filesystem::path& run_dir) {
  const std::filesystem::path path = path_in(run_dir);
  if (!has_run_data(run_dir)) {
    return std::nullopt;
  }
  try {
    const auto json = nlohmann::json::parse(read_file(path, kMostBytes));
    return RunData{.info = dataset_info_from_json(json.at("dataset")),
                   .training_samples = json.at("training_samples").get<std::int64_t>()};
  } catch (const nlohmann::json::exception& error) {
    throw InputError(fmt::format("'{}' can't be read: {}", path.string(), error.what()));
  } catch (const InputError& error) {
    throw InputError(fmt::format("'{}' can't be used: {}", path.string(), error.what()));
  }
}

void check_classes(const RunData& run, const DatasetInfo& info, const std::filesystem::path& run_dir) {
  if (info.classes != run.info.classes) {
    throw InputError(fmt::format("{} has {} classes, but the run '{}' was trained on {}", info.name, info.classes,
                                 run_dir.string(), run.info.classes));
  }
  if (info.class_names != run.info.class_names) {
    const auto [other, own] = std::ranges::mismatch(info.class_names, run.info.class_names);
    throw InputError(fmt::format("{} has other classes than the run '{}' was trained on: '{}' where that has '{}'",
                                 info.name, run_dir.string(), other == info.class_names.end() ? "" : *other,
                                 own == run.info.class_names.end() ? "" : *own));
  }
}

bool nearly_equal(const std::vector<float>& a, const std::vector<float>& b) {
  return std::ranges::equal(a, b, [](float x, float y) { return std::abs(x - y) <= kRounding; });
}

}  // namespace

std::optional<std::int64_t> trained_samples(const std::filesystem::path& run_dir) {
  const auto run = read_run_data(run_dir);
  return run ? std::optional(run->training_samples) : std::nullopt;
}

void write_run_data(const std::filesystem::path& run_dir, const DataSource& data) {
  const nlohmann::json json = {{"dataset", to_json(data.info)}, {"training_samples", data.train->size()}};
  write_file_atomically(path_in(run_dir), json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void copy_run_data(const std::filesystem::path& from, const std::filesystem::path& run_dir) {
  if (has_run_data(from)) {
    write_file_atomically(path_in(run_dir), read_file(path_in(from), kMostBytes));
  }
}

void check_held_out(const DataSource& data, std::string_view option) {
  if (!data.held_out) {
    throw InputError(fmt::format(
        "{} needs samples that were not trained on, and the run held none out; train with --holdout N", option));
  }
}

void check_run_data(const std::filesystem::path& run_dir, const DataSource& data) {
  const auto run = read_run_data(run_dir);
  if (!run) {
    return;
  }
  check_classes(*run, data.info, run_dir);
  if (data.train->size() != run->training_samples) {
    throw InputError(
        fmt::format("{} has {} training samples, but the run '{}' was trained on {}; give it the same data",
                    data.info.name, data.train->size(), run_dir.string(), run->training_samples));
  }
  if (!nearly_equal(data.info.mean, run->info.mean) || !nearly_equal(data.info.stddev, run->info.stddev)) {
    throw InputError(
        fmt::format("the pictures of {} are not those that the run '{}' was trained on: their mean or "
                    "standard deviation is another one; give it the same data",
                    data.info.name, run_dir.string()));
  }
}

void adopt_run_data(const std::filesystem::path& run_dir, DataSource& data) {
  const auto run = read_run_data(run_dir);
  if (!run) {
    return;
  }
  check_classes(*run, data.info, run_dir);
  if (data.info.channels != run->info.channels) {
    throw InputError(fmt::format("{} has pictures of {} channels, but the run '{}' was trained on {}", data.info.name,
                                 data.info.channels, run_dir.string(), run->info.channels));
  }
  data.info.mean = run->info.mean;
  data.info.stddev = run->info.stddev;
}

}  // namespace resist
