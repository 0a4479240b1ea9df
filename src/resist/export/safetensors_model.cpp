#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <numeric>

#include "resist/core/file.h"
#include "resist/core/json_text.h"
#include "resist/export/check_values.h"
#include "resist/export/deployed_model.h"
#include "resist/export/model_metadata.h"
#include "resist/export/parameter_values.h"

namespace resist {
namespace {

constexpr const char* kMean = ".running_mean";
constexpr const char* kVariance = ".running_var";

// The file's tensors in order: the parameters as the layout has them, then each norm's statistics.
std::vector<TensorSpec> tensors_of(const Layout& layout) {
  std::vector<TensorSpec> tensors;
  for (const Parameter& parameter : layout.shared) {
    tensors.push_back({.name = parameter.name, .shape = parameter.shape});
  }
  for (const auto& [norm, channels] : norm_channels(layout)) {
    tensors.push_back({.name = norm + kMean, .shape = {channels}});
    tensors.push_back({.name = norm + kVariance, .shape = {channels}});
  }
  return tensors;
}

// The layout of the network that the metadata promises, once it is sure that the file's tensors are the layout's. It
// takes no more memory than their list.
Layout checked_layout(const NetworkSpec& spec, const std::vector<TensorSpec>& tensors, const std::string& file) {
  const auto blocks = static_cast<std::size_t>(std::accumulate(spec.depths.begin(), spec.depths.end(), 0));
  if (blocks > tensors.size()) {
    refuse_model(file, fmt::format("it has {} tensors, too few for {} blocks", tensors.size(), blocks));
  }
  Layout layout = make_layout(spec);
  std::map<std::string, std::vector<std::int64_t>> found;
  for (const TensorSpec& tensor : tensors) {
    found.emplace(tensor.name, tensor.shape);
  }
  for (const TensorSpec& expected : tensors_of(layout)) {
    const auto tensor = found.find(expected.name);
    if (tensor == found.end()) {
      refuse_model(file, fmt::format("the tensor {} is missing", expected.name));
    }
    if (tensor->second != expected.shape) {
      refuse_model(file, fmt::format("the tensor {} has shape [{}], its architecture needs [{}]", expected.name,
                                     fmt::join(tensor->second, ", "), fmt::join(expected.shape, ", ")));
    }
    found.erase(tensor);
  }
  if (!found.empty()) {
    refuse_model(file, fmt::format("its architecture has no tensor {}", in_quotes(found.begin()->first)));
  }
  return layout;
}

std::vector<float> read_row(const SafetensorsReader& reader, const std::string& name, std::int64_t size) {
  std::vector<float> values(static_cast<std::size_t>(size));
  reader.read(name, values);
  return values;
}

}  // namespace

void write_safetensors_model(const DeployedModel& model, const std::filesystem::path& file) {
  const auto metadata = format_model_metadata(model);
  replace_file(file, [&](const std::filesystem::path& beside) {
    SafetensorsWriter writer(beside, tensors_of(model.layout), metadata);
    writer.append(model.values);
    for (const auto& [norm, channels] : norm_channels(model.layout)) {
      writer.append(model.statistics.at(norm).mean);
      writer.append(model.statistics.at(norm).variance);
    }
    writer.finish();
  });
}

DeployedModel read_safetensors_model(const std::filesystem::path& file) {
  const SafetensorsReader reader(file);
  DeployedModel model = parse_model_metadata(reader.metadata(), file.string());
  model.layout = checked_layout(model.spec, reader.tensors(), file.string());
  model.values.resize(static_cast<std::size_t>(model.layout.shared_size));
  for (const Parameter& parameter : model.layout.shared) {
    reader.read(parameter.name, values_of(model, parameter));
  }
  for (const auto& [norm, channels] : norm_channels(model.layout)) {
    model.statistics[norm] = {.mean = read_row(reader, norm + kMean, channels),
                              .variance = read_row(reader, norm + kVariance, channels)};
  }
  check_values(model, file.string());
  return model;
}

}  // namespace resist
