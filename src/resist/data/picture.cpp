#include "resist/data/picture.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "resist/core/error.h"
#include "resist/core/file.h"
#include "resist/data/jpeg.h"
#include "resist/data/png.h"

namespace resist {
namespace {

constexpr int kLargestSide = 4096;
constexpr std::size_t kLargestFile = std::size_t{256} << 20;

enum class FileType { jpeg, png };

FileType type_of(std::string_view file) {
  if (file.starts_with("\xFF\xD8")) {
    return FileType::jpeg;
  }
  if (file.starts_with("\x89PNG")) {
    return FileType::png;
  }
  throw InputError(file.empty() ? "the file is empty" : "it is neither JPEG nor PNG");
}

PictureFormat format_of(std::string_view file) {
  const PictureFormat format = type_of(file) == FileType::jpeg ? jpeg_format(file) : png_format(file);
  if (format.height > kLargestSide || format.width > kLargestSide) {
    throw InputError(fmt::format("it is {}x{} pixels (height x width), but at most {} on a side are allowed",
                                 format.height, format.width, kLargestSide));
  }
  return format;
}

// pixels: from the channels of a pixel together to channel by channel.
void separate_channels(std::span<const std::uint8_t> interleaved, std::size_t channels,
                       std::span<std::uint8_t> pixels) {
  const std::size_t plane = pixels.size() / channels;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (std::size_t i = 0; i < plane; ++i) {
      pixels[channel * plane + i] = interleaved[i * channels + channel];
    }
  }
}

void decode(std::string_view file, int channels, std::span<std::uint8_t> pixels) {
  if (type_of(file) == FileType::jpeg) {
    decode_jpeg(file, channels, pixels);
  } else {
    decode_png(file, channels, pixels);
  }
}

void read_checked(std::string_view file, const PictureFormat& expected, std::span<std::uint8_t> pixels) {
  const PictureFormat format = format_of(file);
  if (format.height != expected.height || format.width != expected.width) {
    throw InputError(
        fmt::format("it is {}x{} pixels (height x width), but the data set's first picture is {}x{}: all "
                    "must have one size",
                    format.height, format.width, expected.height, expected.width));
  }
  if (format.channels > expected.channels) {
    throw InputError("it is in colour, but the data set's first picture is grey: make all grey, or the first one RGB");
  }
  if (expected.channels == 1) {
    decode(file, 1, pixels);
    return;
  }
  std::vector<std::uint8_t> interleaved(pixels.size());
  decode(file, expected.channels, interleaved);
  separate_channels(interleaved, static_cast<std::size_t>(expected.channels), pixels);
}

// Runs `body` and names the picture in what it complains about.
template <typename Body>
auto naming_the_picture(const std::filesystem::path& path, const Body& body) {
  try {
    return body();
  } catch (const InputError& error) {
    throw InputError(fmt::format("can't use picture '{}': {}", path.string(), error.what()));
  }
}

}  // namespace

PictureFormat picture_format(const std::filesystem::path& path) {
  const std::string file = read_file(path, kLargestFile);
  return naming_the_picture(path, [&] { return format_of(file); });
}

void read_picture(const std::filesystem::path& path, const PictureFormat& expected, std::span<std::uint8_t> pixels) {
  const std::string file = read_file(path, kLargestFile);
  naming_the_picture(path, [&] { read_checked(file, expected, pixels); });
}

}  // namespace resist
