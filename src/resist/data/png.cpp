#include "resist/data/png.h"

#include <png.h>

#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <vector>

#include "resist/core/error.h"

namespace resist {
namespace {

// libpng reports errors by a callback that must not return, hence the jump. Functions that set a jump hold nothing that
// needs a destructor.
class Decoder {
 public:
  explicit Decoder(std::string_view file) : left_(file) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_complaint, on_complaint);
    info_ = png_ != nullptr ? png_create_info_struct(png_) : nullptr;
    if (info_ == nullptr || !read_header()) {
      png_destroy_read_struct(&png_, &info_, nullptr);
      throw InputError(info_ == nullptr && *message_ == '\0' ? "out of memory" : message_);
    }
  }
  ~Decoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  PictureFormat format() const {
    return {.channels = (png_get_color_type(png_, info_) & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1,
            .height = static_cast<int>(png_get_image_height(png_, info_)),
            .width = static_cast<int>(png_get_image_width(png_, info_))};
  }

  void decode(int channels, std::span<std::uint8_t> pixels) {
    const PictureFormat size = format();
    const auto stride = static_cast<std::size_t>(size.width) * static_cast<std::size_t>(channels);
    if (pixels.size() != stride * static_cast<std::size_t>(size.height) || channels < size.channels) {
      throw Error("the buffer for a PNG picture has the wrong size");
    }
    std::vector<png_bytep> rows;
    rows.reserve(static_cast<std::size_t>(size.height));
    for (int row = 0; row < size.height; ++row) {
      rows.push_back(pixels.data() + static_cast<std::size_t>(row) * stride);
    }
    if (!read_rows(channels, stride, rows.data())) {
      throw InputError(message_);
    }
  }

 private:
  // Also for warnings: other chunks than the picture's own are skipped, so what is left to warn of is damage.
  [[noreturn]] static void on_complaint(png_structp png, png_const_charp message) {
    auto* decoder = static_cast<Decoder*>(png_get_error_ptr(png));
    std::snprintf(decoder->message_, sizeof decoder->message_, "%s", message);
    png_longjmp(png, 1);
  }

  static void on_read(png_structp png, png_bytep out, std::size_t size) {
    auto* decoder = static_cast<Decoder*>(png_get_io_ptr(png));
    if (size > decoder->left_.size()) {
      png_error(png, "the file ends too early");
    }
    std::memcpy(out, decoder->left_.data(), size);
    decoder->left_.remove_prefix(size);
  }

  bool read_header() {
    if (setjmp(png_jmpbuf(png_)) != 0) {
      return false;
    }
    png_set_read_fn(png_, this, on_read);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(png_, info_);
    return true;
  }

  bool read_rows(int channels, std::size_t stride, png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_)) != 0) {
      return false;
    }
    png_set_expand(png_);
    png_set_strip_16(png_);
    png_set_strip_alpha(png_);
    if (channels == 3) {
      png_set_gray_to_rgb(png_);
    }
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    if (png_get_rowbytes(png_, info_) != stride) {
      png_error(png_, "unexpected row size");
    }
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }

  std::string_view left_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  char message_[256] = {};
};

}  // namespace

PictureFormat png_format(std::string_view file) {
  return Decoder(file).format();
}

void decode_png(std::string_view file, int channels, std::span<std::uint8_t> pixels) {
  Decoder(file).decode(channels, pixels);
}

}  // namespace resist
