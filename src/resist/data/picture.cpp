#include "resist/data/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "resist/core/error.h"
#include "resist/core/file.h"
#include "resist/data/input_rule.h"
#include "resist/data/jpeg.h"
#include "resist/data/orientation.h"
#include "resist/data/picture_decoder.h"
#include "resist/data/png.h"

namespace resist {
namespace {

constexpr int kLargestSide = 65500;  // of a JPEG
constexpr std::int64_t kMostPixels = std::int64_t{1} << 28;
constexpr std::size_t kLargestFile = std::size_t{256} << 20;

void check_size(const PictureFormat& format) {
  if (format.height > kLargestSide || format.width > kLargestSide ||
      std::int64_t{format.height} * format.width > kMostPixels) {
    throw InputError(
        fmt::format("it is {}x{} pixels (height x width), but at most {} on a side and {} in all are allowed",
                    format.height, format.width, kLargestSide, kMostPixels));
  }
}

std::unique_ptr<PictureDecoder> open(std::string_view file) {
  std::unique_ptr<PictureDecoder> decoder;
  if (file.starts_with("\xFF\xD8")) {
    decoder = open_jpeg(file);
  } else if (file.starts_with("\x89PNG")) {
    decoder = open_png(file);
  } else {
    throw InputError(file.empty() ? "the file is empty" : "it is neither JPEG nor PNG");
  }
  check_size(decoder->format());
  return decoder;
}

PictureFormat upright_format(const PictureDecoder& decoder) {
  const PictureFormat stored = decoder.format();
  const PictureSize size = turned(stored.size(), decoder.orientation());
  return {.channels = stored.channels, .height = size.height, .width = size.width};
}

// Writes `box` of the upright picture at `size`, channel by channel, with the picture's channels.
void read_part(PictureDecoder& decoder, const PictureBox& box, const PictureSize& size, std::span<std::uint8_t> out) {
  const Orientation orientation = decoder.orientation();
  const PictureSize stored_size = turned(size, orientation);
  const DecodedPart part = decoder.decode(stored_box(box, decoder.format().size(), orientation), stored_size);
  if (orientation == Orientation{}) {
    resample(part.rows(), part.box, size, out);
    return;
  }
  std::vector<std::uint8_t> stored(out.size());
  resample(part.rows(), part.box, stored_size, stored);
  turn_upright(stored, stored_size, orientation, out);
}

}  // namespace

PictureFormat picture_format(std::string_view file) {
  return upright_format(*open(file));
}

void read_picture(std::string_view file, const Framing& framing, const PictureFormat& input,
                  std::span<std::uint8_t> pixels) {
  const auto plane = static_cast<std::size_t>(input.height) * static_cast<std::size_t>(input.width);
  if (plane == 0 || pixels.size() != plane * static_cast<std::size_t>(input.channels)) {
    throw Error(fmt::format("a picture of {} channels and {}x{} pixels does not fill {} bytes", input.channels,
                            input.height, input.width, pixels.size()));
  }
  const std::unique_ptr<PictureDecoder> decoder = open(file);
  const PictureFormat format = upright_format(*decoder);
  const PictureBox box = usable_part(format, framing, input);
  read_part(*decoder, box, input.size(), pixels.first(plane * static_cast<std::size_t>(format.channels)));
  if (format.channels == 1) {
    for (std::size_t first = plane; first < pixels.size(); first += plane) {
      std::copy_n(pixels.begin(), plane, pixels.begin() + static_cast<std::ptrdiff_t>(first));
    }
  }
}

std::string shrink_picture(std::string_view file, int shorter_side) {
  const std::unique_ptr<PictureDecoder> decoder = open(file);
  PictureFormat format = upright_format(*decoder);
  const int shorter = std::min(format.height, format.width);
  if (shorter <= shorter_side) {
    return std::string(file);
  }
  const auto shrunk = [&](int side) {
    return static_cast<int>((std::int64_t{side} * shorter_side + shorter / 2) / shorter);
  };
  const PictureBox whole{.top = 0, .left = 0, .height = format.height, .width = format.width};
  format.height = shrunk(format.height);
  format.width = shrunk(format.width);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(format.channels) * static_cast<std::size_t>(format.height) *
                                   static_cast<std::size_t>(format.width));
  read_part(*decoder, whole, format.size(), pixels);
  return encode_jpeg(format, pixels);
}

std::string read_picture_file(const std::filesystem::path& path) {
  return read_file(path, kLargestFile);
}

}  // namespace resist
