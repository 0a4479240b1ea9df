#pragma once

#include <cstdint>
#include <optional>

namespace resist {

// Winograd's minimal filtering for 3x3 convolutions of stride 1 and padding 1 (Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", arXiv 1509.09308): a tile x tile patch of the output takes (tile + 2)^2 products per
// pair of channels where direct convolution takes 9 * tile^2. Input patches and filters are taken to "points",
// multiplied there channel by channel (one matrix product per point), and taken back:
//   y = A^T [ sum over inputs of (G w G^T) * (B^T x B) ] A                                             (section 4.1)
// Backward passes are the transposes of the same three maps. Here are the maps; the products are the caller's.
//
// Layouts: images are [height][width][channels]; points are [point][tile][channels], `plane` elements from one point to
// the next; filters are [outputs][inputs][3][3], in points [point][outputs][inputs]. Channels, and numbers of filters,
// are multiples of kWinogradLanes. Pure functions of their inputs; several threads may work on different images.
inline constexpr int kWinogradLanes = 8;

struct WinogradMap {
  int height;
  int width;
  int channels;
  int tile;  // 2 or 4

  std::int64_t rows() const { return (height + tile - 1) / tile; }
  std::int64_t columns() const { return (width + tile - 1) / tile; }
  std::int64_t tiles() const { return rows() * columns(); }
  std::int64_t pixels() const { return std::int64_t{height} * width; }
};

// How one convolution over a batch is worked: images in groups whose points stay in the processor's cache.
struct WinogradPlan {
  WinogradMap in;
  WinogradMap out;
  std::int64_t group;  // images

  std::int64_t points() const { return std::int64_t{in.tile + 2} * (in.tile + 2); }
  std::int64_t filters() const { return std::int64_t{in.channels} * out.channels; }
  // Float32 values beside inputs, results and gradients: the filters' points, in a backward pass their gradients' too,
  // and a group's input and output points.
  std::int64_t scratch(bool backward) const;
};

// Nothing where direct convolution is as fast: few channels, few tiles.
std::optional<WinogradPlan> plan_winograd(std::int64_t batch, int inputs, int outputs, int height, int width);

// B^T x B of every patch of one image; outside of it everything is zero.
void input_to_points(const WinogradMap& map, const float* image, float* points, std::int64_t plane);
// Its transpose: writes the whole image.
void input_from_points(const WinogradMap& map, const float* points, std::int64_t plane, float* image);

// A^T m A of every patch of one image.
void output_from_points(const WinogradMap& map, const float* points, std::int64_t plane, float* image);
// Its transpose.
void output_to_points(const WinogradMap& map, const float* image, float* points, std::int64_t plane);

// G w G^T of `count` filters.
void filters_to_points(int tile, std::int64_t count, const float* filters, float* points, std::int64_t plane);
// Its transpose.
void filters_from_points(int tile, std::int64_t count, const float* points, std::int64_t plane, float* filters);

}  // namespace resist
