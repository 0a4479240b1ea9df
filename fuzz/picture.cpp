#include "fuzzer.h"
#include "resist/data/picture.h"

namespace resist {

// The first byte chooses what is asked for.
void fuzz(std::string_view input) {
  if (input.empty()) {
    return;
  }
  const auto choice = static_cast<unsigned char>(input[0]);
  const std::string_view file = input.substr(1);
  const PictureFormat format = picture_format(file);
  if (std::int64_t{format.height} * format.width > 1'000'000) {
    return;  // only slow
  }
  const PictureFormat wanted{.channels = choice % 2 == 0 ? 3 : 1, .height = 1 + choice % 40, .width = 1 + choice % 33};
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(wanted.channels * wanted.height * wanted.width));
  const RandomStream random(choice, RandomPurpose::augmentation, {});
  read_picture(file, choice % 3 == 0 ? Framing::centre() : Framing::random(0.08, random), wanted, pixels);
}

}  // namespace resist
