// picture_bench FOLDER random|centre PASSES: pictures of FOLDER (class folders or a list) a second, on one thread:
// read, decoded, cropped, resampled to 224x224, normalised.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <vector>

#include "resist/core/clock.h"
#include "resist/data/augment.h"
#include "resist/data/picture.h"
#include "resist/data/picture_list.h"

namespace resist {
namespace {

constexpr int kSide = 224;

double pictures_per_second(const PictureList& list, bool random, int passes) {
  DatasetInfo info;
  info.channels = 3;
  info.height = kSide;
  info.width = kSide;
  info.mean = {0.485F, 0.456F, 0.406F};
  info.stddev = {0.229F, 0.224F, 0.225F};
  info.own_sizes = true;
  const PixelTransform transform(info);
  const Augmentation augmentation{.crop_area = random ? 0.08 : 0, .flip = random};
  const PictureFormat input{.channels = info.channels, .height = kSide, .width = kSide};
  std::vector<std::uint8_t> pixels(info.input_values());
  std::vector<float> values(info.input_values());
  const Stopwatch watch;
  for (int pass = 0; pass < passes; ++pass) {
    for (std::size_t i = 0; i < list.pictures.size(); ++i) {
      const RandomStream draws(1, RandomPurpose::augmentation,
                               {.epoch = static_cast<std::uint32_t>(pass), .position = static_cast<std::uint32_t>(i)});
      const std::string file = read_picture_file(list.folder / list.pictures[i].name);
      read_picture(file, training_framing(augmentation, info, draws), input, pixels);
      transform.augment(pixels, augmentation, draws, values);
    }
  }
  return passes * static_cast<double>(list.pictures.size()) / watch.seconds();
}

}  // namespace
}  // namespace resist

int main(int argc, char** argv) {
  try {
    const std::string_view crop = argc > 2 ? argv[2] : "";
    const int passes = argc > 3 ? std::atoi(argv[3]) : 0;
    if ((crop != "random" && crop != "centre") || passes < 1) {
      std::fputs("usage: picture_bench FOLDER random|centre PASSES\n", stderr);
      return 2;
    }
    std::printf("%.2f\n", resist::pictures_per_second(resist::list_pictures(argv[1]), crop == "random", passes));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "picture_bench: %s\n", error.what());
    return 1;
  }
}
