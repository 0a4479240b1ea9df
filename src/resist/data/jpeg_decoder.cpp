#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "resist/core/error.h"
#include "resist/data/exif.h"
#include "resist/data/jpeg.h"
#include "resist/data/jpeg_errors.h"

namespace resist {
namespace {

constexpr int kExifMarker = JPEG_APP0 + 1;
constexpr unsigned kLongestMarker = 0xFFFF;
constexpr std::size_t kMostHeld = std::size_t{512} << 20;  // bytes
constexpr int kMostScans = 100;  // ten are usual; a small file may have thousands that cost much time
constexpr std::array<unsigned, 4> kScales = {1, 2, 4, 8};  // of 8; those that libjpeg-turbo has vector code for

// What is decoded, in pixels of the scaled picture.
struct Window {
  JDIMENSION top;
  JDIMENSION bottom;
  JDIMENSION left;
  JDIMENSION width;
};

// Pixels of four values to pixels of three, in place. Photoshop, which marks its files, stores ink inverted.
void cmyk_to_rgb(std::uint8_t* pixels, std::size_t count, bool inverted) {
  const unsigned flip = inverted ? 0 : 255;
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned light = pixels[4 * i + 3] ^ flip;
    for (std::size_t channel = 0; channel < 3; ++channel) {
      pixels[3 * i + channel] = static_cast<std::uint8_t>(((pixels[4 * i + channel] ^ flip) * light + 127) / 255);
    }
  }
}

class JpegDecoder : public PictureDecoder {
 public:
  explicit JpegDecoder(std::string_view file) {
    decoder_.err = errors_.start();
    if (!read_header(file)) {
      fail();
    }
  }
  ~JpegDecoder() override { jpeg_destroy_decompress(&decoder_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  PictureFormat format() const override {
    return {.channels = decoder_.jpeg_color_space == JCS_GRAYSCALE ? 1 : 3,
            .height = static_cast<int>(decoder_.image_height),
            .width = static_cast<int>(decoder_.image_width)};
  }

  Orientation orientation() const override {
    for (auto* marker = decoder_.marker_list; marker != nullptr; marker = marker->next) {
      const int value = exif_orientation({marker->data, marker->data_length});
      if (value != 1) {
        return orientation_of(value);
      }
    }
    return {};
  }

  DecodedPart decode(const PictureBox& box, const PictureSize& least) override {
    check_memory();
    choose_output(box, least);
    const double scale = decoder_.scale_num / 8.0;
    FractionalBox part{
        .top = box.top * scale, .left = box.left * scale, .height = box.height * scale, .width = box.width * scale};
    if (!start()) {
      fail();
    }
    Window window = window_of(part);
    if (!crop(window)) {
      fail();
    }
    const auto stored_channels = static_cast<std::size_t>(decoder_.output_components);
    const std::size_t pixels = std::size_t{window.bottom - window.top} * window.width;
    DecodedPart decoded{.pixels = std::make_unique_for_overwrite<std::uint8_t[]>(pixels * stored_channels),
                        .height = static_cast<int>(window.bottom - window.top),
                        .width = static_cast<int>(window.width),
                        .channels = format().channels,
                        .box = part};
    decoded.box.top -= window.top;
    decoded.box.left -= window.left;
    if (!read_rows(window, decoded.pixels.get())) {
      fail();
    }
    if (decoder_.out_color_space == JCS_CMYK) {
      cmyk_to_rgb(decoded.pixels.get(), pixels, decoder_.saw_Adobe_marker != 0);
    }
    return decoded;
  }

 private:
  bool read_header(std::string_view file) {
    if (setjmp(errors_.jump) != 0) {
      return false;
    }
    jpeg_create_decompress(&decoder_);
    progress_.progress_monitor = on_progress;
    decoder_.progress = &progress_;
    jpeg_mem_src(&decoder_, reinterpret_cast<const unsigned char*>(file.data()), file.size());
    jpeg_save_markers(&decoder_, kExifMarker, kLongestMarker);
    jpeg_read_header(&decoder_, TRUE);
    return true;
  }

  static void on_progress(j_common_ptr codec) {
    if (reinterpret_cast<j_decompress_ptr>(codec)->input_scan_number > kMostScans) {
      jump_with(codec, "it has more scans than any camera or program writes");
    }
  }

  // All of a picture of several scans has to be held until the last one.
  void check_memory() {
    if (jpeg_has_multiple_scans(&decoder_) == FALSE) {
      return;
    }
    std::size_t held = 0;
    for (const jpeg_component_info& component : std::span(decoder_.comp_info, decoder_.num_components)) {
      held += std::size_t{component.width_in_blocks} * component.height_in_blocks * sizeof(JBLOCK);
    }
    if (held > kMostHeld) {
      throw InputError(
          fmt::format("it is progressive and takes {} MiB to decode, but at most {} are allowed: store it "
                      "in one scan, or smaller",
                      held >> 20, kMostHeld >> 20));
    }
  }

  void choose_output(const PictureBox& box, const PictureSize& least) {
    const auto is_fine_enough = [&](unsigned scale) {
      return box.height * static_cast<double>(scale) >= 8.0 * least.height &&
             box.width * static_cast<double>(scale) >= 8.0 * least.width;
    };
    const auto* scale = std::ranges::find_if(kScales, is_fine_enough);
    decoder_.scale_num = scale != kScales.end() ? *scale : kScales.back();
    decoder_.scale_denom = 8;
    const bool is_ink = decoder_.jpeg_color_space == JCS_CMYK || decoder_.jpeg_color_space == JCS_YCCK;
    decoder_.out_color_space = format().channels == 1 ? JCS_GRAYSCALE : (is_ink ? JCS_CMYK : JCS_RGB);
  }

  bool start() {
    if (setjmp(errors_.jump) != 0) {
      return false;
    }
    jpeg_start_decompress(&decoder_);
    return true;
  }

  // The pixels that the part touches.
  Window window_of(const FractionalBox& part) const {
    // Where colour is stored more coarsely, the outermost columns of what is decoded are not interpolated.
    constexpr JDIMENSION kMargin = 2;
    const auto last = [](double end, JDIMENSION size) {
      return std::min(static_cast<JDIMENSION>(std::ceil(end)), size);
    };
    const auto left = static_cast<JDIMENSION>(part.left);
    const JDIMENSION right = last(part.left + part.width, decoder_.output_width);
    Window window{.top = static_cast<JDIMENSION>(part.top),
                  .bottom = last(part.top + part.height, decoder_.output_height),
                  .left = left - std::min(left, kMargin),
                  .width = 0};
    window.width = std::min(right + kMargin, decoder_.output_width) - window.left;
    return window;
  }

  // Makes the window start where libjpeg can.
  bool crop(Window& window) {
    if (setjmp(errors_.jump) != 0) {
      return false;
    }
    if (window.width < decoder_.output_width) {
      jpeg_crop_scanline(&decoder_, &window.left, &window.width);
    }
    return true;
  }

  bool read_rows(const Window& window, std::uint8_t* pixels) {
    if (setjmp(errors_.jump) != 0) {
      return false;
    }
    const std::size_t stride = std::size_t{window.width} * static_cast<std::size_t>(decoder_.output_components);
    jpeg_skip_scanlines(&decoder_, window.top);
    while (decoder_.output_scanline < window.bottom) {
      JSAMPROW row = pixels + (decoder_.output_scanline - window.top) * stride;
      jpeg_read_scanlines(&decoder_, &row, 1);
    }
    if (window.bottom == decoder_.output_height) {
      jpeg_finish_decompress(&decoder_);
    }
    return true;
  }

  [[noreturn]] void fail() {
    jpeg_destroy_decompress(&decoder_);  // harmless twice; the destructor does not run if the constructor throws
    throw InputError(errors_.message);
  }

  jpeg_decompress_struct decoder_{};
  jpeg_progress_mgr progress_{};
  JpegErrors errors_{};
};

}  // namespace

std::unique_ptr<PictureDecoder> open_jpeg(std::string_view file) {
  return std::make_unique<JpegDecoder>(file);
}

}  // namespace resist
