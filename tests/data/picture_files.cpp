#include "picture_files.h"

#include <jpeglib.h>
#include <png.h>

#include <cstdio>  // jpeglib.h needs it before
#include <stdexcept>

namespace resist {

void write_jpeg(const std::filesystem::path& path, const PictureFormat& format,
                const std::vector<std::uint8_t>& pixels) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) {
    throw std::runtime_error("can't write " + path.string());
  }
  jpeg_compress_struct encoder{};
  jpeg_error_mgr errors{};
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  jpeg_stdio_dest(&encoder, file);
  encoder.image_width = static_cast<JDIMENSION>(format.width);
  encoder.image_height = static_cast<JDIMENSION>(format.height);
  encoder.input_components = format.channels;
  encoder.in_color_space = format.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&encoder);
  jpeg_set_quality(&encoder, 95, TRUE);
  jpeg_start_compress(&encoder, TRUE);
  for (int y = 0; y < format.height; ++y) {
    JSAMPROW row = const_cast<std::uint8_t*>(pixels.data()) + y * format.width * format.channels;
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  jpeg_destroy_compress(&encoder);
  std::fclose(file);
}

void write_png(const std::filesystem::path& path, const PictureFormat& format,
               const std::vector<std::uint8_t>& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(format.width);
  image.height = static_cast<png_uint_32>(format.height);
  constexpr png_uint_32 kFormats[] = {PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};
  image.format = kFormats[format.channels - 1];
  if (png_image_write_to_file(&image, path.c_str(), 0, pixels.data(), 0, nullptr) == 0) {
    throw std::runtime_error("can't write " + path.string());
  }
}

std::vector<std::uint8_t> flat(const PictureFormat& format, const std::vector<std::uint8_t>& colour) {
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < format.height * format.width; ++i) {
    pixels.insert(pixels.end(), colour.begin(), colour.end());
  }
  return pixels;
}

}  // namespace resist
