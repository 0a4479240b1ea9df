#include "fuzzer.h"
#include "resist/checkpoint/safetensors.h"
#include "resist/export/deployed_model.h"

namespace resist {

void fuzz(std::string_view input) {
  const auto path = fuzz_file("model.safetensors", input);
  const SafetensorsReader reader(path);
  for (const TensorSpec& tensor : reader.tensors()) {
    std::int64_t size = 1;
    for (const std::int64_t length : tensor.shape) {
      size *= length;
    }
    std::vector<float> values(static_cast<std::size_t>(size));  // the file holds as many
    reader.read(tensor.name, values);
  }
  read_safetensors_model(path);
}

}  // namespace resist
