#include "resist/model/winograd.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

#include "resist/core/vectorised.h"

// Everything below is inlined into the six functions at the end, which are compiled for several processors.

namespace resist {
namespace {

// As many channels as are worked at once.
using Lanes = float __attribute__((vector_size(kWinogradLanes * sizeof(float)), aligned(alignof(float)), may_alias));

template <int kRows, int kColumns>
using Matrix = std::array<std::array<float, kColumns>, kRows>;

template <std::size_t kRows, std::size_t kColumns>
constexpr Matrix<kColumns, kRows> transposed(const std::array<std::array<float, kColumns>, kRows>& matrix) {
  Matrix<kColumns, kRows> result{};
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t j = 0; j < kColumns; ++j) {
      result[j][i] = matrix[i][j];
    }
  }
  return result;
}

// The matrices of F(tile x tile, 3 x 3), section 4.1 and 4.2.
template <int kTile>
struct Transform;

template <>
struct Transform<2> {
  static constexpr Matrix<4, 4> kBT = {{{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}}};
  static constexpr Matrix<4, 3> kG = {{{1, 0, 0}, {0.5F, 0.5F, 0.5F}, {0.5F, -0.5F, 0.5F}, {0, 0, 1}}};
  static constexpr Matrix<2, 4> kAT = {{{1, 1, 1, 0}, {0, 1, -1, -1}}};
  static constexpr auto kB = transposed(kBT);
  static constexpr auto kGT = transposed(kG);
  static constexpr auto kA = transposed(kAT);
};

template <>
struct Transform<4> {
  static constexpr Matrix<6, 6> kBT = {{{4, 0, -5, 0, 1, 0},
                                        {0, -4, -4, 1, 1, 0},
                                        {0, 4, -4, -1, 1, 0},
                                        {0, -2, -1, 2, 1, 0},
                                        {0, 2, -1, -2, 1, 0},
                                        {0, 4, 0, -5, 0, 1}}};
  static constexpr Matrix<6, 3> kG = {{{1.0F / 4, 0, 0},
                                       {-1.0F / 6, -1.0F / 6, -1.0F / 6},
                                       {-1.0F / 6, 1.0F / 6, -1.0F / 6},
                                       {1.0F / 24, 1.0F / 12, 1.0F / 6},
                                       {1.0F / 24, -1.0F / 12, 1.0F / 6},
                                       {0, 0, 1}}};
  static constexpr Matrix<4, 6> kAT = {
      {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}}};
  static constexpr auto kB = transposed(kBT);
  static constexpr auto kGT = transposed(kG);
  static constexpr auto kA = transposed(kAT);
};

template <const auto& kMatrix>
inline constexpr int kRowsOf = std::tuple_size_v<std::remove_cvref_t<decltype(kMatrix)>>;
template <const auto& kMatrix>
inline constexpr int kColumnsOf = std::tuple_size_v<std::remove_cvref_t<decltype(kMatrix[0])>>;

// sum += factor * x; nothing at all where the factor is zero.
template <const auto& kMatrix, std::size_t kRow, std::size_t kColumn>
RESIST_INLINE void add(Lanes& sum, const Lanes& x) {
  constexpr float kFactor = kMatrix[kRow][kColumn];
  if constexpr (kFactor == 1.0F) {
    sum += x;
  } else if constexpr (kFactor == -1.0F) {
    sum -= x;
  } else if constexpr (kFactor != 0.0F) {
    sum += x * kFactor;
  }
}

template <const auto& kMatrix, std::size_t kRow, std::size_t... kColumn>
RESIST_INLINE void apply_row(const Lanes* in, int stride, Lanes& out, std::index_sequence<kColumn...> /*columns*/) {
  Lanes sum = {};
  (add<kMatrix, kRow, kColumn>(sum, in[static_cast<int>(kColumn) * stride]), ...);
  out = sum;
}

template <const auto& kMatrix, std::size_t... kRow>
RESIST_INLINE void apply_rows(const Lanes* in, int stride, Lanes* out, std::index_sequence<kRow...> /*rows*/) {
  (apply_row<kMatrix, kRow>(in, stride, out[static_cast<int>(kRow) * stride],
                            std::make_index_sequence<kColumnsOf<kMatrix>>{}),
   ...);
}

// out := kMatrix in kMatrix^T; `in` is square.
template <const auto& kMatrix>
RESIST_INLINE void apply_both_sides(const Lanes* in, Lanes* out) {
  constexpr int kFrom = kColumnsOf<kMatrix>;
  constexpr int kTo = kRowsOf<kMatrix>;
  Lanes half[kTo * kFrom];
  for (int column = 0; column < kFrom; ++column) {
    apply_rows<kMatrix>(in + column, kFrom, half + column, std::make_index_sequence<kTo>{});
  }
  for (int row = 0; row < kTo; ++row) {
    apply_rows<kMatrix>(half + row * kFrom, 1, out + row * kTo, std::make_index_sequence<kTo>{});
  }
}

// Lanes at any address of a float.
RESIST_INLINE void load(const float* at, Lanes& value) {
  std::memcpy(&value, at, sizeof value);
}
RESIST_INLINE void store(const Lanes& value, float* at) {
  std::memcpy(at, &value, sizeof value);
}

// Calls work(pixel, element) for each pixel of a kSide x kSide patch that lies inside the map; the patch's first pixel
// is (top, left), `pixel` is its index in the image and `element` in the patch.
template <int kSide, typename Work>
RESIST_INLINE void for_patch(const WinogradMap& map, std::int64_t top, std::int64_t left, const Work& work) {
  for (int i = 0; i < kSide; ++i) {
    for (int j = 0; j < kSide; ++j) {
      const std::int64_t y = top + i;
      const std::int64_t x = left + j;
      if (y >= 0 && y < map.height && x >= 0 && x < map.width) {
        work(y * map.width + x, i * kSide + j);
      }
    }
  }
}

// Takes patches of kColumnsOf^2 pixels to kRowsOf^2 points. `border`: how far a patch reaches out of its tile.
template <int kTile, const auto& kMatrix>
RESIST_INLINE void image_to_points(const WinogradMap& map, int border, const float* image, float* points,
                                   std::int64_t plane) {
  constexpr int kSide = kColumnsOf<kMatrix>;
  constexpr int kPoints = kRowsOf<kMatrix> * kRowsOf<kMatrix>;
  for (std::int64_t tile = 0; tile < map.tiles(); ++tile) {
    const std::int64_t top = tile / map.columns() * kTile - border;
    const std::int64_t left = tile % map.columns() * kTile - border;
    for (int channel = 0; channel < map.channels; channel += kWinogradLanes) {
      Lanes patch[kSide * kSide] = {};
      for_patch<kSide>(
          map, top, left, [&](std::int64_t pixel, int element) __attribute__((always_inline)) {
            load(image + pixel * map.channels + channel, patch[element]);
          });
      Lanes result[kPoints];
      apply_both_sides<kMatrix>(patch, result);
      for (int point = 0; point < kPoints; ++point) {
        store(result[point], points + point * plane + tile * map.channels + channel);
      }
    }
  }
}

// The other way; patches that overlap add up.
template <int kTile, const auto& kMatrix>
RESIST_INLINE void image_from_points(const WinogradMap& map, int border, const float* points, std::int64_t plane,
                                     float* image) {
  constexpr int kSide = kRowsOf<kMatrix>;
  constexpr int kPoints = kColumnsOf<kMatrix> * kColumnsOf<kMatrix>;
  constexpr bool kOverlap = kSide > kTile;
  if constexpr (kOverlap) {
    std::fill_n(image, map.pixels() * map.channels, 0.0F);
  }
  for (std::int64_t tile = 0; tile < map.tiles(); ++tile) {
    const std::int64_t top = tile / map.columns() * kTile - border;
    const std::int64_t left = tile % map.columns() * kTile - border;
    for (int channel = 0; channel < map.channels; channel += kWinogradLanes) {
      Lanes at_points[kPoints];
      for (int point = 0; point < kPoints; ++point) {
        load(points + point * plane + tile * map.channels + channel, at_points[point]);
      }
      Lanes patch[kSide * kSide];
      apply_both_sides<kMatrix>(at_points, patch);
      for_patch<kSide>(
          map, top, left, [&](std::int64_t pixel, int element) __attribute__((always_inline)) {
            float* target = image + pixel * map.channels + channel;
            if constexpr (kOverlap) {
              Lanes before;
              load(target, before);
              store(before + patch[element], target);
            } else {
              store(patch[element], target);
            }
          });
    }
  }
}

constexpr int kFilter = 9;  // elements of a filter

template <const auto& kMatrix>
RESIST_INLINE void filters_forth(std::int64_t count, const float* filters, float* points, std::int64_t plane) {
  constexpr int kPoints = kRowsOf<kMatrix> * kRowsOf<kMatrix>;
  for (std::int64_t filter = 0; filter < count; filter += kWinogradLanes) {
    Lanes weights[kFilter];
    for (int element = 0; element < kFilter; ++element) {
      for (int lane = 0; lane < kWinogradLanes; ++lane) {
        weights[element][lane] = filters[(filter + lane) * kFilter + element];
      }
    }
    Lanes result[kPoints];
    apply_both_sides<kMatrix>(weights, result);
    for (int point = 0; point < kPoints; ++point) {
      store(result[point], points + point * plane + filter);
    }
  }
}

template <const auto& kMatrix>
RESIST_INLINE void filters_back(std::int64_t count, const float* points, std::int64_t plane, float* filters) {
  constexpr int kPoints = kColumnsOf<kMatrix> * kColumnsOf<kMatrix>;
  for (std::int64_t filter = 0; filter < count; filter += kWinogradLanes) {
    Lanes at_points[kPoints];
    for (int point = 0; point < kPoints; ++point) {
      load(points + point * plane + filter, at_points[point]);
    }
    Lanes weights[kFilter];
    apply_both_sides<kMatrix>(at_points, weights);
    for (int element = 0; element < kFilter; ++element) {
      for (int lane = 0; lane < kWinogradLanes; ++lane) {
        filters[(filter + lane) * kFilter + element] = weights[element][lane];
      }
    }
  }
}

// Below these, transforming takes longer than the products that it saves (bench/convolutions.cpp).
constexpr int kLeastChannels = 32;
constexpr std::int64_t kLeastTiles = 32;
constexpr std::int64_t kGroupBytes = std::int64_t{4} << 20U;

}  // namespace

std::int64_t WinogradPlan::scratch(bool backward) const {
  return points() * ((backward ? 2 : 1) * filters() + group * in.tiles() * (in.channels + out.channels));
}

std::optional<WinogradPlan> plan_winograd(std::int64_t batch, int inputs, int outputs, int height, int width) {
  // A map that is no larger than one tile of 4x4 would pay 36/16 of the filters' memory for fewer products.
  const int tile = height <= 4 && width <= 4 ? 2 : 4;
  const auto map = [&](int channels) {
    return WinogradMap{.height = height, .width = width, .channels = channels, .tile = tile};
  };
  WinogradPlan plan{.in = map(inputs), .out = map(outputs), .group = batch};
  const bool whole_lanes = inputs % kWinogradLanes == 0 && outputs % kWinogradLanes == 0;
  if (!whole_lanes || std::min(inputs, outputs) < kLeastChannels || batch * plan.in.tiles() < kLeastTiles) {
    return std::nullopt;
  }
  const std::int64_t image_bytes = plan.points() * plan.in.tiles() * std::max(inputs, outputs) * 4;
  const std::int64_t groups = (batch * image_bytes + kGroupBytes - 1) / kGroupBytes;
  plan.group = (batch + groups - 1) / groups;
  return plan;
}

RESIST_VECTORISED void input_to_points(const WinogradMap& map, const float* image, float* points, std::int64_t plane) {
  map.tile == 2 ? image_to_points<2, Transform<2>::kBT>(map, 1, image, points, plane)
                : image_to_points<4, Transform<4>::kBT>(map, 1, image, points, plane);
}

RESIST_VECTORISED void input_from_points(const WinogradMap& map, const float* points, std::int64_t plane,
                                         float* image) {
  map.tile == 2 ? image_from_points<2, Transform<2>::kB>(map, 1, points, plane, image)
                : image_from_points<4, Transform<4>::kB>(map, 1, points, plane, image);
}

RESIST_VECTORISED void output_from_points(const WinogradMap& map, const float* points, std::int64_t plane,
                                          float* image) {
  map.tile == 2 ? image_from_points<2, Transform<2>::kAT>(map, 0, points, plane, image)
                : image_from_points<4, Transform<4>::kAT>(map, 0, points, plane, image);
}

RESIST_VECTORISED void output_to_points(const WinogradMap& map, const float* image, float* points, std::int64_t plane) {
  map.tile == 2 ? image_to_points<2, Transform<2>::kA>(map, 0, image, points, plane)
                : image_to_points<4, Transform<4>::kA>(map, 0, image, points, plane);
}

RESIST_VECTORISED void filters_to_points(int tile, std::int64_t count, const float* filters, float* points,
                                         std::int64_t plane) {
  tile == 2 ? filters_forth<Transform<2>::kG>(count, filters, points, plane)
            : filters_forth<Transform<4>::kG>(count, filters, points, plane);
}

RESIST_VECTORISED void filters_from_points(int tile, std::int64_t count, const float* points, std::int64_t plane,
                                           float* filters) {
  tile == 2 ? filters_back<Transform<2>::kGT>(count, points, plane, filters)
            : filters_back<Transform<4>::kGT>(count, points, plane, filters);
}

}  // namespace resist
