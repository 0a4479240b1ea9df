#include "resist/model/unfold.h"

#include <algorithm>
#include <array>

#include "resist/core/vectorised.h"

namespace resist {
namespace {

constexpr std::int64_t kGroupBytes = std::int64_t{8} << 20U;  // of rows: they stay in a core's cache, or near it
constexpr int kLanes = 64;                                    // channels whose sums are in registers

// Rows of output that have input row or column `at` at `offset` of the kernel: at most one, none is -1.
inline std::int64_t output_of(int at, int offset, const UnfoldedMap& map, std::int64_t outputs) {
  const int from = at + map.kernel / 2 - offset;
  return from >= 0 && from % map.stride == 0 && from / map.stride < outputs ? from / map.stride : -1;
}

}  // namespace

std::int64_t UnfoldedPlan::scratch() const {
  return static_cast<std::int64_t>(sizeof(Bf16)) * map.row() * (2 * outputs + group * map.out_pixels());
}

std::optional<UnfoldedPlan> plan_unfolded(std::int64_t batch, const UnfoldedMap& map, int outputs) {
  // Measured with oneDNN 2.6 and 3: its convolutions starve the matrix units where a map has few pixels, weight
  // gradients most; on large maps unfolding moves too much memory.
  constexpr int kLeastChannels = 32;
  constexpr int kManyChannels = 128;
  constexpr int kFewPixels = 16;
  constexpr int kSomePixels = 64;
  const std::int64_t pixels = map.out_pixels();
  if (map.kernel == 1 || map.channels < kLeastChannels || outputs < kLeastChannels || pixels > kSomePixels) {
    return std::nullopt;
  }
  const bool all = pixels <= kFewPixels || map.stride > 1;
  if (!all && map.channels < kManyChannels) {
    return std::nullopt;
  }
  const std::int64_t image = static_cast<std::int64_t>(sizeof(Bf16)) * pixels * map.row();
  return UnfoldedPlan{.map = map,
                      .outputs = outputs,
                      .weight_gradient_only = !all,
                      .group = std::clamp<std::int64_t>(kGroupBytes / image, 1, batch)};
}

void unfold(const UnfoldedMap& map, const Bf16* image, Bf16* rows) {
  const int half = map.kernel / 2;
  const std::int64_t channels = map.channels;
  for (std::int64_t y = 0; y < map.out_height(); ++y) {
    for (std::int64_t x = 0; x < map.out_width(); ++x) {
      const std::int64_t left = x * map.stride - half;
      const std::int64_t begin = std::max<std::int64_t>(left, 0);
      const std::int64_t end = std::min<std::int64_t>(left + map.kernel, map.width);
      for (int dy = 0; dy < map.kernel; ++dy, rows += map.kernel * channels) {
        const std::int64_t from = y * map.stride + dy - half;
        if (from < 0 || from >= map.height) {
          std::fill_n(rows, map.kernel * channels, Bf16{0});
          continue;
        }
        std::fill_n(rows, (begin - left) * channels, Bf16{0});
        std::copy_n(image + (from * map.width + begin) * channels, (end - begin) * channels,
                    rows + (begin - left) * channels);
        std::fill_n(rows + (end - left) * channels, (left + map.kernel - end) * channels, Bf16{0});
      }
    }
  }
}

RESIST_VECTORISED
void fold(const UnfoldedMap& map, const Bf16* rows, Bf16* image) {
  std::array<float, kLanes> sums{};
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      for (int first = 0; first < map.channels; first += kLanes) {
        const int count = std::min(kLanes, map.channels - first);
        sums.fill(0.0F);
        for (int dy = 0; dy < map.kernel; ++dy) {
          const std::int64_t out_y = output_of(y, dy, map, map.out_height());
          for (int dx = 0; out_y >= 0 && dx < map.kernel; ++dx) {
            const std::int64_t out_x = output_of(x, dx, map, map.out_width());
            if (out_x < 0) {
              continue;
            }
            const Bf16* row = rows + (out_y * map.out_width() + out_x) * map.row() +
                              (std::int64_t{dy} * map.kernel + dx) * map.channels + first;
            for (int lane = 0; lane < count; ++lane) {
              sums[lane] += widened(row[lane]);
            }
          }
        }
        for (int lane = 0; lane < count; ++lane) {
          image[first + lane] = rounded_to<Bf16>(sums[lane]);
        }
      }
      image += map.channels;
    }
  }
}

RESIST_VECTORISED
void pack_filters(const UnfoldedMap& map, std::int64_t count, const float* filters, Bf16* packed) {
  const std::int64_t places = std::int64_t{map.kernel} * map.kernel;
  for (std::int64_t output = 0; output < count; ++output) {
    for (std::int64_t place = 0; place < places; ++place) {
      for (std::int64_t input = 0; input < map.channels; ++input) {
        packed[place * map.channels + input] = rounded_to<Bf16>(filters[input * places + place]);
      }
    }
    filters += map.row();
    packed += map.row();
  }
}

RESIST_VECTORISED
void add_packed(const UnfoldedMap& map, std::int64_t count, const Bf16* packed, bool begins, float* filters) {
  const std::int64_t places = std::int64_t{map.kernel} * map.kernel;
  for (std::int64_t output = 0; output < count; ++output) {
    for (std::int64_t input = 0; input < map.channels; ++input) {
      for (std::int64_t place = 0; place < places; ++place) {
        float& filter = filters[input * places + place];
        filter = (begins ? 0.0F : filter) + widened(packed[place * map.channels + input]);
      }
    }
    filters += map.row();
    packed += map.row();
  }
}

}  // namespace resist
