#include "fuzzer.h"
#include "resist/core/hash.h"
#include "resist/data/packed.h"
#include "resist/data/packed_format.h"

namespace resist {
namespace {

// The same file with a checksum that is right, so that what it guards is reached.
std::string sealed(std::string_view input) {
  try {
    PackedPreamble preamble =
        parse_packed_preamble(input.substr(0, kPackedPreambleBytes), input.size(), "fuzzed");
    preamble.checksum = hash_64(input.substr(preamble.index_offset));
    return format_packed_preamble(preamble) + std::string(input.substr(kPackedPreambleBytes));
  } catch (const InputError&) {
    return std::string(input);
  }
}

}  // namespace

void fuzz(std::string_view input) {
  const auto path = fuzz_file("packed.resist", sealed(input));
  packed_info(path);
  verify_packed(path, 10);
  const DataSource source = open_packed(path, 16, 1000);
  std::vector<std::uint8_t> pixels(source.info.input_values());
  for (std::int64_t sample = 0; sample < std::min<std::int64_t>(10, source.train->size()); ++sample) {
    source.train->read(sample, source.info.evaluation_framing(), pixels);
  }
}

}  // namespace resist
