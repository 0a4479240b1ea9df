#include "picture_files.h"

#include <jpeglib.h>
#include <png.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace resist {
namespace {

void write_file(const std::filesystem::path& path, const std::string& content) {
  if (!(std::ofstream(path, std::ios::binary) << content)) {
    throw std::runtime_error("can't write " + path.string());
  }
}

void append_to_string(png_structp png, png_bytep bytes, std::size_t count) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), count);
}

// First the mean, then every other frequency without its last bit, then these bits.
const std::vector<jpeg_scan_info>& many_scans() {
  static const std::vector<jpeg_scan_info> scans = [] {
    std::vector<jpeg_scan_info> made = {{.comps_in_scan = 1, .component_index = {0}}};
    for (const int refinement : {0, 1}) {
      for (int frequency = 1; frequency < 64; ++frequency) {
        made.push_back({.comps_in_scan = 1,
                        .component_index = {0},
                        .Ss = frequency,
                        .Se = frequency,
                        .Ah = refinement,
                        .Al = 1 - refinement});
      }
    }
    return made;
  }();
  return scans;
}

void set_form(jpeg_compress_struct& encoder, const PictureFormat& format, const JpegForm& form) {
  if (format.channels == 4) {
    jpeg_set_colorspace(&encoder, form.ycck ? JCS_YCCK : JCS_CMYK);
    encoder.write_Adobe_marker = form.adobe ? TRUE : FALSE;
  }
  if (format.channels == 3) {
    encoder.comp_info[0].h_samp_factor = form.wide;
    encoder.comp_info[0].v_samp_factor = form.high;
  }
  if (form.progressive) {
    jpeg_simple_progression(&encoder);
  }
  if (form.many_scans) {
    encoder.scan_info = many_scans().data();
    encoder.num_scans = static_cast<int>(many_scans().size());
  }
  jpeg_set_quality(&encoder, form.quality, TRUE);
}

}  // namespace

std::string jpeg_file(const PictureFormat& format, const std::vector<std::uint8_t>& pixels, const JpegForm& form) {
  jpeg_compress_struct encoder{};
  jpeg_error_mgr errors{};
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&encoder, &bytes, &size);
  constexpr J_COLOR_SPACE kSpaces[] = {JCS_GRAYSCALE, JCS_UNKNOWN, JCS_RGB, JCS_CMYK};
  encoder.image_width = static_cast<JDIMENSION>(format.width);
  encoder.image_height = static_cast<JDIMENSION>(format.height);
  encoder.input_components = format.channels;
  encoder.in_color_space = kSpaces[format.channels - 1];
  jpeg_set_defaults(&encoder);
  set_form(encoder, format, form);
  jpeg_start_compress(&encoder, TRUE);
  if (!form.exif.empty()) {
    jpeg_write_marker(&encoder, JPEG_APP0 + 1, form.exif.data(), static_cast<unsigned>(form.exif.size()));
  }
  for (int y = 0; y < format.height; ++y) {
    JSAMPROW row = const_cast<std::uint8_t*>(pixels.data()) + y * format.width * format.channels;
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  jpeg_destroy_compress(&encoder);
  std::string file(reinterpret_cast<const char*>(bytes), size);
  std::free(bytes);
  return file;
}

std::string png_file(const PictureFormat& format, const std::vector<std::uint8_t>& pixels, bool interlaced) {
  std::string file;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &file, append_to_string, nullptr);
  constexpr int kTypes[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGBA};
  png_set_IHDR(png, info, static_cast<png_uint_32>(format.width), static_cast<png_uint_32>(format.height), 8,
               kTypes[format.channels - 1], interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  std::vector<png_bytep> rows;
  rows.reserve(static_cast<std::size_t>(format.height));
  for (int y = 0; y < format.height; ++y) {
    rows.push_back(const_cast<std::uint8_t*>(pixels.data()) + y * format.width * format.channels);
  }
  png_write_image(png, rows.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return file;
}

void write_jpeg(const std::filesystem::path& path, const PictureFormat& format,
                const std::vector<std::uint8_t>& pixels) {
  write_file(path, jpeg_file(format, pixels));
}

void write_png(const std::filesystem::path& path, const PictureFormat& format,
               const std::vector<std::uint8_t>& pixels) {
  write_file(path, png_file(format, pixels));
}

std::vector<std::uint8_t> flat(const PictureFormat& format, const std::vector<std::uint8_t>& colour) {
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < format.height * format.width; ++i) {
    pixels.insert(pixels.end(), colour.begin(), colour.end());
  }
  return pixels;
}

std::vector<std::uint8_t> smooth(const PictureFormat& format) {
  std::vector<std::uint8_t> pixels;
  for (int y = 0; y < format.height; ++y) {
    for (int x = 0; x < format.width; ++x) {
      for (int channel = 0; channel < format.channels; ++channel) {
        const double phase = 5.0 * (channel + 1) * y / format.height + 4.0 * (3 - channel) * x / format.width + channel;
        pixels.push_back(static_cast<std::uint8_t>(std::lround(127.5 + 120 * std::sin(phase))));
      }
    }
  }
  return pixels;
}

}  // namespace resist
