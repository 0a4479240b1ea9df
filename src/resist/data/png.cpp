#include "resist/data/png.h"

#include <png.h>

#include <algorithm>
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
class PngDecoder : public PictureDecoder {
 public:
  explicit PngDecoder(std::string_view file) : left_(file) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_complaint, on_complaint);
    info_ = png_ != nullptr ? png_create_info_struct(png_) : nullptr;
    if (info_ == nullptr || !read_header()) {
      png_destroy_read_struct(&png_, &info_, nullptr);
      throw InputError(info_ == nullptr && *message_ == '\0' ? "out of memory" : message_);
    }
  }
  ~PngDecoder() override { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  PictureFormat format() const override {
    return {.channels = (png_get_color_type(png_, info_) & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1,
            .height = static_cast<int>(png_get_image_height(png_, info_)),
            .width = static_cast<int>(png_get_image_width(png_, info_))};
  }

  Orientation orientation() const override { return {}; }

  DecodedPart decode(const PictureBox& box, const PictureSize& /*least*/) override {
    const PictureFormat size = format();
    const bool interlaced = png_get_interlace_type(png_, info_) != PNG_INTERLACE_NONE;
    const int top = interlaced ? 0 : box.top;
    const int bottom = interlaced ? size.height : box.top + box.height;
    const auto stride = static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.channels);
    DecodedPart part{
        .pixels = std::make_unique_for_overwrite<std::uint8_t[]>(stride * static_cast<std::size_t>(bottom - top)),
        .height = bottom - top,
        .width = size.width,
        .channels = size.channels,
        .box = {.top = static_cast<double>(box.top - top),
                .left = static_cast<double>(box.left),
                .height = static_cast<double>(box.height),
                .width = static_cast<double>(box.width)}};
    std::vector<png_bytep> rows;
    rows.reserve(static_cast<std::size_t>(bottom));
    for (int row = 0; row < bottom; ++row) {
      // A row above the part is overwritten by the part's first one.
      rows.push_back(part.pixels.get() + static_cast<std::size_t>(std::max(0, row - top)) * stride);
    }
    if (!read_rows(stride, rows.data(), static_cast<png_uint_32>(bottom))) {
      throw InputError(message_);
    }
    return part;
  }

 private:
  // Also for warnings: other chunks than the picture's own are skipped, so what is left to warn of is damage.
  [[noreturn]] static void on_complaint(png_structp png, png_const_charp message) {
    auto* decoder = static_cast<PngDecoder*>(png_get_error_ptr(png));
    std::snprintf(decoder->message_, sizeof decoder->message_, "%s", message);
    png_longjmp(png, 1);
  }

  static void on_read(png_structp png, png_bytep out, std::size_t size) {
    auto* decoder = static_cast<PngDecoder*>(png_get_io_ptr(png));
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

  bool read_rows(std::size_t stride, png_bytepp rows, png_uint_32 count) {
    if (setjmp(png_jmpbuf(png_)) != 0) {
      return false;
    }
    png_set_expand(png_);
    png_set_strip_16(png_);
    png_set_strip_alpha(png_);
    const int passes = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    if (png_get_rowbytes(png_, info_) != stride) {
      png_error(png_, "unexpected row size");
    }
    for (int pass = 0; pass < passes; ++pass) {
      png_read_rows(png_, rows, nullptr, count);
    }
    if (count == png_get_image_height(png_, info_)) {
      png_read_end(png_, nullptr);
    }
    return true;
  }

  std::string_view left_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  char message_[256] = {};
};

}  // namespace

std::unique_ptr<PictureDecoder> open_png(std::string_view file) {
  return std::make_unique<PngDecoder>(file);
}

}  // namespace resist
