#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace resist {

struct ClassProbability {
  std::string name;  // the class's, or its number where classes have no names
  double probability;
};

// An exported model.safetensors, ready to classify pictures one at a time. Not for several threads at once.
class Predictor {
 public:
  // InputError names the file and what is wrong with it.
  explicit Predictor(const std::filesystem::path& model);
  ~Predictor();
  Predictor(Predictor&&) noexcept;

  // From now on every picture's input (channels * height * width values, normalised) and logits are appended to
  // inputs.f32 and logits.f32 in `folder`, float32, little-endian. Error where they can't be written.
  void dump_to(const std::filesystem::path& folder);
  // The five (or all, where there are fewer) most probable classes of a JPEG or PNG file, the best first. InputError
  // names the picture.
  std::vector<ClassProbability> classify(const std::filesystem::path& picture);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resist
