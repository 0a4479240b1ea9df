#pragma once

#include <cstdint>
#include <optional>

#include "resist/model/bf16.h"

namespace resist {

// Convolutions in bf16 as one matrix product over unfolded patches (Chellapilla, Puri and Simard, "High Performance
// Convolutional Neural Networks for Document Processing", 2006): a row for each output pixel with all that it sees.
//   y = rows(x) W^T,   grad_W = grad_y^T rows(x),   grad_x = the transpose of rows(), of grad_y W
// Here are the maps; the products are the caller's.
//
// Layouts: images are [height][width][channels]; rows are [output pixel][kernel][kernel][channels]; filters are
// [outputs][inputs][kernel][kernel], packed [outputs][kernel][kernel][inputs]. Pure functions of their inputs; several
// threads may work on different images and filters.
struct UnfoldedMap {
  int height;
  int width;
  int channels;
  int kernel;  // odd; the padding is half of it
  int stride;

  std::int64_t out_height() const { return (height - 1) / stride + 1; }
  std::int64_t out_width() const { return (width - 1) / stride + 1; }
  std::int64_t out_pixels() const { return out_height() * out_width(); }
  std::int64_t pixels() const { return std::int64_t{height} * width; }
  std::int64_t row() const { return std::int64_t{kernel} * kernel * channels; }
};

// How one convolution over a batch is worked.
struct UnfoldedPlan {
  UnfoldedMap map;
  std::int64_t outputs;
  bool weight_gradient_only;  // the other two passes are libtorch's
  std::int64_t group;         // images whose rows are in memory at a time

  // Bytes beside inputs, results and gradients: packed filters and a group's rows.
  std::int64_t scratch() const;
};

// On a processor with matrix units (has_matrix_units() of precision.h; on others a library's convolutions are as fast).
// Nothing for maps with many pixels or few channels.
std::optional<UnfoldedPlan> plan_unfolded(std::int64_t batch, const UnfoldedMap& map, int outputs);

// The rows of one image; outside of it everything is zero.
void unfold(const UnfoldedMap& map, const Bf16* image, Bf16* rows);
// Its transpose: the sum, in float32, of all that rows have of each pixel.
void fold(const UnfoldedMap& map, const Bf16* rows, Bf16* image);

// `count` outputs' filters, rounded to the nearest.
void pack_filters(const UnfoldedMap& map, std::int64_t count, const float* filters, Bf16* packed);
// filters += packed, or = where `begins`.
void add_packed(const UnfoldedMap& map, std::int64_t count, const Bf16* packed, bool begins, float* filters);

}  // namespace resist
