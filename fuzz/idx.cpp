#include "fuzzer.h"
#include "resist/data/idx.h"

namespace resist {

// The first byte says how much of the rest is the images' file, in 256ths; what follows is the labels'.
void fuzz(std::string_view input) {
  if (input.empty()) {
    return;
  }
  const std::size_t images = (input.size() - 1) * static_cast<unsigned char>(input[0]) / 255;
  for (const std::string part : {"train", "t10k"}) {
    fuzz_file(part + "-images-idx3-ubyte", input.substr(1, images));
    fuzz_file(part + "-labels-idx1-ubyte", input.substr(1 + images));
  }
  DatasetInfo info;
  info.name = "fuzzed";
  info.channels = 1;
  info.classes = 10;
  const DataSource source = open_idx(info, fuzz_folder());
  std::vector<std::uint8_t> pixels(source.info.input_values());
  source.train->read(source.train->size() - 1, Framing::whole(), pixels);
}

}  // namespace resist
