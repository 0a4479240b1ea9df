#include "resist/data/synthetic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "resist/core/error.h"
#include "resist/core/random.h"
#include "resist/data/resample.h"

namespace resist {
namespace {

struct Field {
  const char* name;
  std::int64_t largest;
};
constexpr std::array<Field, 5> kFields = {
    {{"N", 10'000'000}, {"C", 64}, {"H", 1024}, {"W", 1024}, {"CLASSES", 10'000}}};

// Streams of RandomPurpose::synthetic_data.
constexpr std::uint32_t kPrototypes = 0;
constexpr std::uint32_t kTrainNoise = 1;
constexpr std::uint32_t kTestNoise = 2;

constexpr int kGrid = 4;      // patches on a side
constexpr int kLevels = 128;  // of a patch and of the noise; their sum stays below 256
constexpr float kMean = 127.0F / 255;
constexpr float kStddev = 52.25F / 255;  // sqrt(2 * (128^2 - 1) / 12)

std::array<std::int64_t, 5> parse(std::string_view name) {
  std::array<std::int64_t, 5> values{};
  std::string_view left = name.substr(kSyntheticPrefix.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto [end, error] = std::from_chars(left.data(), left.data() + left.size(), values[i]);
    left.remove_prefix(static_cast<std::size_t>(end - left.data()));
    const bool last = i + 1 == values.size();
    const bool separated = last ? left.empty() : left.starts_with(',');
    if (error != std::errc{} || !separated || values[i] < 1 || values[i] > kFields[i].largest) {
      throw InputError(
          fmt::format("--data is '{}': synthetic data is synthetic:N,C,H,W,CLASSES with {} from 1 to {}, for "
                      "example synthetic:1000,3,32,32,10",
                      name, kFields[i].name, kFields[i].largest));
    }
    left.remove_prefix(last ? 0 : 1);
  }
  return values;
}

class SyntheticDataset : public Dataset {
 public:
  SyntheticDataset(const DatasetInfo& info, std::int64_t size, std::uint64_t seed, std::uint32_t noise)
      : channels_(info.channels),
        height_(info.height),
        width_(info.width),
        classes_(info.classes),
        size_(size),
        seed_(seed),
        noise_(noise) {}

  std::int64_t size() const override { return size_; }
  std::int64_t label(std::int64_t index) const override { return index % classes_; }
  std::span<const std::uint8_t> read(std::int64_t index, const Framing& framing,
                                     std::span<std::uint8_t> buffer) const override;

 private:
  void make(std::int64_t index, std::span<std::uint8_t> pixels) const;

  int channels_;
  int height_;
  int width_;
  int classes_;
  std::int64_t size_;
  std::uint64_t seed_;
  std::uint32_t noise_;
};

std::span<const std::uint8_t> SyntheticDataset::read(std::int64_t index, const Framing& framing,
                                                     std::span<std::uint8_t> buffer) const {
  const auto picture_bytes = static_cast<std::size_t>(channels_) * static_cast<std::size_t>(height_ * width_);
  if (index < 0 || index >= size_ || buffer.size() != picture_bytes) {
    throw Error(fmt::format("can't read {} bytes of synthetic picture {}: there are {} of {} bytes", buffer.size(),
                            index, size_, picture_bytes));
  }
  make(index, buffer);
  const std::vector<std::uint8_t> picture(buffer.begin(), buffer.end());
  const PictureSize size{.height = height_, .width = width_};
  frame_pixels(picture, size, framing, size, buffer);  // where all of it is wanted, it is there already
  return buffer;
}

void SyntheticDataset::make(std::int64_t index, std::span<std::uint8_t> pixels) const {
  RandomStream noise(seed_, RandomPurpose::synthetic_data,
                     {.stream = noise_, .position = static_cast<std::uint32_t>(index)});
  RandomStream prototype(seed_, RandomPurpose::synthetic_data,
                         {.stream = kPrototypes, .position = static_cast<std::uint32_t>(label(index))});
  std::uint32_t bits = 0;
  std::size_t out = 0;
  for (int channel = 0; channel < channels_; ++channel) {
    std::array<std::uint32_t, std::size_t{kGrid} * kGrid> patches{};
    std::generate(patches.begin(), patches.end(), [&] { return prototype.below(kLevels); });
    for (int y = 0; y < height_; ++y) {
      const std::uint32_t* row = patches.data() + y * kGrid / height_ * kGrid;
      for (int x = 0; x < width_; ++x, ++out) {
        bits = out % 4 == 0 ? noise.next() : bits >> 8;
        pixels[out] = static_cast<std::uint8_t>(row[x * kGrid / width_] + bits % kLevels);
      }
    }
  }
}

}  // namespace

DataSource open_synthetic(std::string_view name, std::uint64_t seed) {
  const auto values = parse(name);
  DataSource source;
  DatasetInfo& info = source.info;
  info.name = std::string(name);
  info.channels = static_cast<int>(values[1]);
  info.height = static_cast<int>(values[2]);
  info.width = static_cast<int>(values[3]);
  info.classes = static_cast<int>(values[4]);
  info.mean.assign(static_cast<std::size_t>(info.channels), kMean);
  info.stddev.assign(static_cast<std::size_t>(info.channels), kStddev);
  source.train = std::make_shared<SyntheticDataset>(info, values[0], seed, kTrainNoise);
  source.test = std::make_shared<SyntheticDataset>(info, std::max<std::int64_t>(1, values[0] / 5), seed, kTestNoise);
  return source;
}

}  // namespace resist
