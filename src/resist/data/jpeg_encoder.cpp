#include <cstddef>

#include "resist/core/error.h"
#include "resist/data/jpeg.h"
#include "resist/data/jpeg_errors.h"

namespace resist {
namespace {

constexpr int kQuality = 95;

class Encoder {
 public:
  explicit Encoder(const PictureFormat& format) : format_(format) {
    // libjpeg's own bound for a block of 64 values is 512 bytes; a block more in each direction, and the headers.
    const auto padded = [](int side) { return static_cast<std::size_t>(side) + 8; };
    capacity_ = 8 * padded(format.height) * padded(format.width) * static_cast<std::size_t>(format.channels) + 4096;
    file_ = std::make_unique_for_overwrite<unsigned char[]>(capacity_);
    row_ = std::make_unique_for_overwrite<unsigned char[]>(static_cast<std::size_t>(format.width) *
                                                           static_cast<std::size_t>(format.channels));
    encoder_.err = errors_.start();
  }
  ~Encoder() { jpeg_destroy_compress(&encoder_); }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  std::string encode(const std::uint8_t* pixels) {
    if (!write(pixels)) {
      throw Error(std::string("can't write a JPEG picture: ") + errors_.message);
    }
    return {reinterpret_cast<const char*>(file_.get()), capacity_ - destination_.free_in_buffer};
  }

 private:
  bool write(const std::uint8_t* pixels) {
    if (setjmp(errors_.jump) != 0) {
      return false;
    }
    jpeg_create_compress(&encoder_);
    destination_.init_destination = [](j_compress_ptr) {};
    destination_.empty_output_buffer = [](j_compress_ptr) -> boolean { return FALSE; };
    destination_.term_destination = [](j_compress_ptr) {};
    destination_.next_output_byte = file_.get();
    destination_.free_in_buffer = capacity_;
    encoder_.dest = &destination_;
    encoder_.image_width = static_cast<JDIMENSION>(format_.width);
    encoder_.image_height = static_cast<JDIMENSION>(format_.height);
    encoder_.input_components = format_.channels;
    encoder_.in_color_space = format_.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&encoder_);
    jpeg_set_quality(&encoder_, kQuality, TRUE);
    encoder_.comp_info[0].h_samp_factor = 1;
    encoder_.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&encoder_, TRUE);
    for (int y = 0; y < format_.height; ++y) {
      gather_row(pixels, y);
      JSAMPROW row = row_.get();
      jpeg_write_scanlines(&encoder_, &row, 1);
    }
    jpeg_finish_compress(&encoder_);
    return true;
  }

  void gather_row(const std::uint8_t* pixels, int y) {
    const auto width = static_cast<std::size_t>(format_.width);
    const auto channels = static_cast<std::size_t>(format_.channels);
    const std::size_t plane = width * static_cast<std::size_t>(format_.height);
    for (std::size_t channel = 0; channel < channels; ++channel) {
      const std::uint8_t* values = pixels + channel * plane + static_cast<std::size_t>(y) * width;
      for (std::size_t x = 0; x < width; ++x) {
        row_[x * channels + channel] = values[x];
      }
    }
  }

  PictureFormat format_;
  std::size_t capacity_ = 0;
  std::unique_ptr<unsigned char[]> file_;
  std::unique_ptr<unsigned char[]> row_;
  jpeg_compress_struct encoder_{};
  jpeg_destination_mgr destination_{};
  JpegErrors errors_{};
};

}  // namespace

std::string encode_jpeg(const PictureFormat& format, std::span<const std::uint8_t> pixels) {
  const auto needed = static_cast<std::size_t>(format.channels) * static_cast<std::size_t>(format.height) *
                      static_cast<std::size_t>(format.width);
  if ((format.channels != 1 && format.channels != 3) || pixels.size() != needed) {
    throw Error("the pixels of a JPEG picture do not have its size");
  }
  return Encoder(format).encode(pixels.data());
}

}  // namespace resist
