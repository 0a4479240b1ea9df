#include "resist/run/recorder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "resist/checkpoint/safetensors.h"
#include "resist/config/option.h"

namespace resist {

struct RoundRecorder::Recording {
  std::vector<TensorSpec> tensors;
  std::vector<std::vector<float>> values;
  std::map<std::string, std::string> metadata;
  std::vector<double> learning_rates;

  void add(std::string name, std::vector<std::int64_t> shape, std::vector<float> tensor) {
    tensors.push_back({.name = std::move(name), .shape = std::move(shape)});
    values.push_back(std::move(tensor));
  }

  void add_parameters(const std::string& prefix, WorkerParameters& parameters) {
    const auto add_group = [&](const std::vector<Parameter>& group, const float* memory) {
      for (const Parameter& parameter : group) {
        const float* begin = memory + parameter.offset;
        add(prefix + parameter.name, parameter.shape, {begin, begin + parameter.size});
      }
    };
    add_group(parameters.layout().shared, parameters.values());
    const auto offsets = parameters.offsets();
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      add_group(parameters.layout().blocks[parameters.held()[i]].parameters, parameters.values() + offsets[i]);
    }
  }
};

RoundRecorder::RoundRecorder(const std::filesystem::path& run_dir, std::int64_t round)
    : folder_(run_dir / "record"), round_(round) {
}

RoundRecorder::~RoundRecorder() = default;

bool RoundRecorder::active(const Trainer& trainer) const {
  return trainer.position().round + 1 == round_;
}

void RoundRecorder::round_starts(Trainer& trainer) {
  if (!active(trainer)) {
    return;
  }
  recording_ = std::make_unique<Recording>();
  const Config& config = trainer.setup().config;
  recording_->metadata = {{"config", to_json(config).dump()},
                          {"depths", fmt::format("{}", fmt::join(trainer.setup().spec.depths, ","))},
                          {"workers", std::to_string(trainer.communicator().size())},
                          {"worker", std::to_string(trainer.communicator().rank())},
                          {"momentum_sync", momentum_sync(config) == MomentumSync::reset ? "reset" : "other"}};
  recording_->add_parameters("before.", trainer.parameters());
}

void RoundRecorder::batch_used(Trainer& trainer, const Batch& batch, double learning_rate) {
  if (!recording_) {
    return;
  }
  const NetworkSpec& spec = trainer.setup().spec;
  const std::size_t iteration = recording_->learning_rates.size();
  recording_->learning_rates.push_back(learning_rate);
  recording_->add(fmt::format("{}.images", iteration), {batch.size(), spec.channels, spec.height, spec.image_width},
                  batch.pixels);
  recording_->add(fmt::format("{}.labels", iteration), {batch.size()}, {batch.labels.begin(), batch.labels.end()});
}

void RoundRecorder::round_committed(Trainer& trainer) {
  if (!recording_) {
    return;
  }
  recording_->add_parameters("after.", trainer.parameters());
  recording_->metadata["learning_rates"] = fmt::format("{}", fmt::join(recording_->learning_rates, ","));
  std::filesystem::create_directories(folder_);
  SafetensorsWriter writer(folder_ / fmt::format("worker-{}.safetensors", trainer.communicator().rank()),
                           recording_->tensors, recording_->metadata);
  for (const auto& values : recording_->values) {
    writer.append(values);
  }
  writer.finish();
  recording_.reset();
}

}  // namespace resist
