#include "fuzzer.h"
#include "resist/data/cifar.h"

namespace resist {

// Every file of CIFAR-100; the first byte says how much of the rest is the pictures', what follows is the names'.
void fuzz(std::string_view input) {
  if (input.empty()) {
    return;
  }
  const std::size_t pictures = (input.size() - 1) * static_cast<unsigned char>(input[0]) / 255;
  fuzz_file("train.bin", input.substr(1, pictures));
  fuzz_file("test.bin", input.substr(1, pictures));
  fuzz_file("fine_label_names.txt", input.substr(1 + pictures));
  DatasetInfo info;
  info.name = "fuzzed";
  info.channels = 3;
  info.classes = 100;
  const DataSource source = open_cifar100(info, fuzz_folder());
  std::vector<std::uint8_t> pixels(source.info.input_values());
  source.test->read(source.test->size() - 1, Framing::whole(), pixels);
}

}  // namespace resist
