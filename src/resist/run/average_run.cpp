#include "resist/run/average_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <string>

#include "resist/checkpoint/checkpoint.h"
#include "resist/checkpoint/checkpoint_folder.h"
#include "resist/config/option.h"
#include "resist/config/resolve.h"
#include "resist/config/toml_file.h"
#include "resist/core/error.h"
#include "resist/run/run_data.h"
#include "resist/telemetry/run_folder.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFewest = 2;

fs::path default_output(const fs::path& run_dir) {
  fs::path plain = (run_dir / "").lexically_normal().parent_path();
  if (!plain.has_filename() || plain.filename() == "..") {  // RUN is "." or the like
    plain = fs::canonical(run_dir);
  }
  return plain += "-average";
}

// The run's newest checkpoints, ascending by round. As many as it keeps, unless it is said; the best one, which is kept
// besides, may be of long ago.
std::vector<Checkpoint> newest_checkpoints(const fs::path& run_dir, std::optional<int> newest, int kept,
                                           const std::function<void()>& go_on) {
  const auto folders = list_round_folders(run_dir);
  const std::size_t usual = std::min(folders.size(), static_cast<std::size_t>(kept));
  const std::size_t count = newest ? static_cast<std::size_t>(*newest) : std::max(kFewest, usual);
  if (count > (newest ? folders.size() : usual)) {
    std::vector<std::int64_t> rounds;
    std::ranges::transform(folders, std::back_inserter(rounds), [](const auto& folder) { return folder.first; });
    throw InputError(
        fmt::format("a mean of {}{} checkpoints can't be made: the run '{}' has {}{}; training with a larger "
                    "--keep-checkpoints, or a smaller --checkpoint-every, keeps more",
                    newest ? "" : "at least ", count, run_dir.string(),
                    rounds.empty()       ? "none"
                    : rounds.size() == 1 ? "only that of round "
                                         : "only those of rounds ",
                    fmt::join(rounds, ", ")));
  }
  std::vector<Checkpoint> checkpoints;
  checkpoints.reserve(count);
  for (auto folder = std::prev(folders.end(), static_cast<std::ptrdiff_t>(count)); folder != folders.end(); ++folder) {
    go_on();
    checkpoints.emplace_back(folder->second);
  }
  return checkpoints;
}

std::vector<std::string> part_names(const Checkpoint& checkpoint) {
  return checkpoint.has_part("blocks") ? std::vector<std::string>{"shared", "blocks"}
                                       : std::vector<std::string>{"shared"};
}

bool same_tensors(const SafetensorsReader& one, const SafetensorsReader& other) {
  return std::ranges::equal(one.tensors(), other.tensors(), [](const TensorSpec& a, const TensorSpec& b) {
    return a.name == b.name && a.shape == b.shape;
  });
}

// InputError unless both are of one network.
void check_network(const Checkpoint& checkpoint, const Checkpoint& newest) {
  const auto changed =
      resume_difference(config_from_json(checkpoint.state().config), config_from_json(newest.state().config));
  if (!changed.empty()) {
    throw InputError(fmt::format("the checkpoint '{}' was trained with another --{} than '{}', so they have no mean",
                                 checkpoint.folder().string(), fmt::join(changed, ", --"), newest.folder().string()));
  }
  for (const std::string& name : part_names(newest)) {
    if (!same_tensors(checkpoint.part(name), newest.part(name))) {
      throw InputError(
          fmt::format("the checkpoints '{}' and '{}' have other tensors in their part {}, so they have "
                      "no mean",
                      checkpoint.folder().string(), newest.folder().string(), name));
    }
  }
}

// The mean of branches that were trained to be scaled in different ways has no scale that suits it.
void check_scales(const std::vector<Checkpoint>& checkpoints) {
  const CheckpointState& newest = checkpoints.back().state();
  const auto other = std::ranges::find_if(checkpoints.rbegin(), checkpoints.rend(), [&](const Checkpoint& checkpoint) {
    return checkpoint.state().block_scale != newest.block_scale;
  });
  if (other == checkpoints.rend()) {
    return;
  }
  const auto alike = static_cast<std::size_t>(other - checkpoints.rbegin());
  throw InputError(fmt::format(
      "the checkpoints of rounds {} and {} have other residual scales, {:.4f} and {:.4f}: a phase at full depth, "
      "another number of workers or a least depth that grew lies between them; {}",
      other->state().round, newest.round, fmt::join(other->state().block_scale, ","),
      fmt::join(newest.block_scale, ","),
      alike < kFewest ? "a mean takes two of one scale, so train with a smaller --checkpoint-every"
                      : fmt::format("--newest {} averages those after it", alike)));
}

std::size_t elements(const TensorSpec& tensor) {
  std::size_t count = 1;
  for (const std::int64_t side : tensor.shape) {
    count *= static_cast<std::size_t>(side);
  }
  return count;
}

// Writes the mean of one of the checkpoints' parts; returns its number of parameters.
std::size_t average_part(const std::vector<Checkpoint>& checkpoints, const std::string& name, CheckpointWriter& writer,
                         const std::function<void()>& go_on) {
  std::vector<SafetensorsReader> readers;
  readers.reserve(checkpoints.size());
  for (const Checkpoint& checkpoint : checkpoints) {
    readers.push_back(checkpoint.part(name));
  }
  const auto count = static_cast<double>(readers.size());
  std::size_t parameters = 0;
  std::vector<float> values;
  std::vector<double> sum;
  SafetensorsWriter& part = writer.begin_part(name, readers.back().tensors());
  for (const TensorSpec& tensor : readers.back().tensors()) {
    go_on();
    values.resize(elements(tensor));
    sum.assign(values.size(), 0);
    for (const SafetensorsReader& reader : readers) {
      reader.read(tensor.name, values);
      std::ranges::transform(sum, values, sum.begin(), std::plus<double>());
    }
    std::ranges::transform(sum, values.begin(), [&](double total) { return static_cast<float>(total / count); });
    part.append(values);
    parameters += values.size();
  }
  writer.finish_part();
  return parameters;
}

}  // namespace

AverageReport run_average(const fs::path& run_dir, std::optional<int> newest, fs::path output,
                          const std::function<void()>& go_on) {
  Config config = load_run_config(run_dir);
  const std::vector<Checkpoint> checkpoints = newest_checkpoints(run_dir, newest, config.run.keep_checkpoints, go_on);
  for (const Checkpoint& checkpoint : checkpoints) {
    check_network(checkpoint, checkpoints.back());
  }
  check_scales(checkpoints);
  if (output.empty()) {
    output = default_output(run_dir);
  }
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(output, ignored))) {
    throw InputError(
        fmt::format("'{}' is there already, and a run is never overwritten: give another --output", output.string()));
  }
  AverageReport report{.folder = output, .rounds = {}};
  for (const Checkpoint& checkpoint : checkpoints) {
    report.rounds.push_back(checkpoint.state().round);
  }
  config.run.run_dir = output;
  CheckpointState state = checkpoints.back().state();
  state.accuracy.reset();
  const std::string origin =
      fmt::format("# The mean of rounds {} of '{}'.\n", fmt::join(report.rounds, ", "), run_dir.string());
  const RunFolder folder = RunFolder::create(output, origin + to_toml(config));
  try {
    copy_run_data(run_dir, output);
    CheckpointWriter writer(output, std::move(state));
    for (const std::string& name : part_names(checkpoints.back())) {
      report.parameters += static_cast<std::int64_t>(average_part(checkpoints, name, writer, go_on));
    }
    writer.commit();
  } catch (...) {
    fs::remove_all(output, ignored);
    throw;
  }
  return report;
}

}  // namespace resist
