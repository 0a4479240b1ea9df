#include "resist/run/predict.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "resist/core/file.h"
#include "resist/data/augment.h"
#include "resist/data/input_rule.h"
#include "resist/data/picture_file.h"
#include "resist/export/deployed_model.h"
#include "resist/model/network.h"

namespace resist {

struct Predictor::Impl {
  explicit Impl(const std::filesystem::path& file)
      : model(read_safetensors_model(file)), network(model.spec, model.layout), transform(model.info) {
    network.bind_shared({.values = at::from_blob(model.values.data(), {model.layout.shared_size}, at::kFloat)});
    network.use_statistics(&model.statistics);
  }

  // Normalised input [1, channels, height, width].
  at::Tensor read(const std::filesystem::path& picture) const;
  std::vector<ClassProbability> best(const at::Tensor& logits) const;

  DeployedModel model;
  Network network;
  PixelTransform transform;
  std::optional<OutputFile> inputs;
  std::optional<OutputFile> logits;
};

at::Tensor Predictor::Impl::read(const std::filesystem::path& picture) const {
  const DatasetInfo& info = model.info;
  std::vector<std::uint8_t> pixels(info.input_values());
  with_picture(picture, [&](const std::string& file) {
    read_picture(file, info.evaluation_framing(), input_format(info), pixels);
  });
  at::Tensor input = at::empty({1, info.channels, info.height, info.width}, at::kFloat);
  transform.normalise(pixels, {input.data_ptr<float>(), info.input_values()});
  return input;
}

std::vector<ClassProbability> Predictor::Impl::best(const at::Tensor& of) const {
  constexpr std::int64_t kMost = 5;
  const at::Tensor probabilities = of.to(at::kDouble).softmax(1);
  const auto [values, classes] = probabilities.topk(std::min(kMost, probabilities.size(1)), 1);
  const auto& names = model.info.class_names;
  std::vector<ClassProbability> best;
  for (std::int64_t i = 0; i < values.size(1); ++i) {
    const auto label = static_cast<std::size_t>(classes[0][i].item<std::int64_t>());
    best.push_back({.name = label < names.size() ? names[label] : fmt::format("{}", label),
                    .probability = values[0][i].item<double>()});
  }
  return best;
}

namespace {

void append(OutputFile& file, const at::Tensor& values) {
  const std::span<const float> all(values.data_ptr<float>(), static_cast<std::size_t>(values.numel()));
  file.write(std::as_bytes(all));
}

}  // namespace

Predictor::Predictor(const std::filesystem::path& model) : impl_(std::make_unique<Impl>(model)) {
}
Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;

void Predictor::dump_to(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  impl_->inputs.emplace(folder / "inputs.f32");
  impl_->logits.emplace(folder / "logits.f32");
}

std::vector<ClassProbability> Predictor::classify(const std::filesystem::path& picture) {
  const at::NoGradGuard no_gradients;
  const at::Tensor input = impl_->read(picture);
  const at::Tensor logits = impl_->network.forward(input);
  if (impl_->inputs) {
    append(*impl_->inputs, input);
    append(*impl_->logits, logits);
  }
  return impl_->best(logits);
}

}  // namespace resist
