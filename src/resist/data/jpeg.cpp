#include "resist/data/jpeg.h"

#include <jpeglib.h>

#include <csetjmp>
#include <cstddef>
#include <cstdio>  // jpeglib.h needs it before

#include "resist/core/error.h"

namespace resist {
namespace {

// libjpeg reports errors by a callback that must not return, hence the jump. Functions that set a jump hold nothing
// that needs a destructor.
struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void on_error(j_common_ptr decoder) {
  auto* manager = reinterpret_cast<ErrorManager*>(decoder->err);
  manager->base.format_message(decoder, manager->message);
  std::longjmp(manager->jump, 1);
}

// A negative level is a warning: the data is damaged and libjpeg would make something up.
void on_message(j_common_ptr decoder, int level) {
  if (level < 0) {
    on_error(decoder);
  }
}

class Decoder {
 public:
  explicit Decoder(std::string_view file) {
    decoder_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = on_error;
    errors_.base.emit_message = on_message;
    if (!start(file)) {
      fail();
    }
  }
  ~Decoder() { jpeg_destroy_decompress(&decoder_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  PictureFormat format() const {
    return {.channels = decoder_.jpeg_color_space == JCS_GRAYSCALE ? 1 : 3,
            .height = static_cast<int>(decoder_.image_height),
            .width = static_cast<int>(decoder_.image_width)};
  }

  void decode(int channels, std::uint8_t* pixels) {
    if (!read_rows(channels, pixels)) {
      fail();
    }
  }

 private:
  bool start(std::string_view file) {
    if (setjmp(errors_.jump) != 0) {
      return false;
    }
    jpeg_create_decompress(&decoder_);
    jpeg_mem_src(&decoder_, reinterpret_cast<const unsigned char*>(file.data()), file.size());
    jpeg_read_header(&decoder_, TRUE);
    return true;
  }

  bool read_rows(int channels, std::uint8_t* pixels) {
    if (setjmp(errors_.jump) != 0) {
      return false;
    }
    decoder_.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&decoder_);
    const std::size_t stride = static_cast<std::size_t>(decoder_.output_width) * static_cast<std::size_t>(channels);
    while (decoder_.output_scanline < decoder_.output_height) {
      JSAMPROW row = pixels + decoder_.output_scanline * stride;
      jpeg_read_scanlines(&decoder_, &row, 1);
    }
    jpeg_finish_decompress(&decoder_);
    return true;
  }

  [[noreturn]] void fail() {
    jpeg_destroy_decompress(&decoder_);  // harmless twice; the destructor does not run if the constructor throws
    throw InputError(errors_.message);
  }

  jpeg_decompress_struct decoder_{};
  ErrorManager errors_{};
};

}  // namespace

PictureFormat jpeg_format(std::string_view file) {
  return Decoder(file).format();
}

void decode_jpeg(std::string_view file, int channels, std::span<std::uint8_t> pixels) {
  Decoder decoder(file);
  const PictureFormat format = decoder.format();
  const auto needed = static_cast<std::size_t>(format.height) * static_cast<std::size_t>(format.width * channels);
  if (pixels.size() != needed) {
    throw Error("the buffer for a JPEG picture has the wrong size");
  }
  decoder.decode(channels, pixels.data());
}

}  // namespace resist
