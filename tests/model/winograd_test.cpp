#include "resist/model/winograd.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <ostream>
#include <vector>

#include "support/random_values.h"

namespace resist {
namespace {

using Values = std::vector<float>;

double dot(const Values& a, const Values& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

WinogradMap make_map(int tile, int height, int width, int channels = kWinogradLanes) {
  return {.height = height, .width = width, .channels = channels, .tile = tile};
}

std::int64_t points_of(int tile) {
  return std::int64_t{tile + 2} * (tile + 2);
}

// 3x3, stride 1, padding 1, as it is defined.
Values direct(const WinogradMap& in, int outputs, const Values& image, const Values& filters) {
  Values result(static_cast<std::size_t>(in.pixels() * outputs));
  for (int y = 0; y < in.height; ++y) {
    for (int x = 0; x < in.width; ++x) {
      for (int output = 0; output < outputs; ++output) {
        double sum = 0;
        for (int i = 0; i < 3; ++i) {
          for (int j = 0; j < 3; ++j) {
            const int row = y + i - 1;
            const int column = x + j - 1;
            if (row < 0 || row >= in.height || column < 0 || column >= in.width) {
              continue;
            }
            for (int channel = 0; channel < in.channels; ++channel) {
              sum += double{image[(row * in.width + column) * in.channels + channel]} *
                     filters[((output * in.channels + channel) * 3 + i) * 3 + j];
            }
          }
        }
        result[(y * in.width + x) * outputs + output] = static_cast<float>(sum);
      }
    }
  }
  return result;
}

// The same by the three maps, with plain loops for the products in between.
Values by_points(const WinogradMap& in, int outputs, const Values& image, const Values& filters) {
  WinogradMap out = in;
  out.channels = outputs;
  const std::int64_t points = points_of(in.tile);
  const std::int64_t in_plane = in.tiles() * in.channels;
  const std::int64_t out_plane = out.tiles() * outputs;
  const std::int64_t filter_plane = std::int64_t{outputs} * in.channels;
  Values in_points(points * in_plane);
  Values filter_points(points * filter_plane);
  Values out_points(points * out_plane);
  input_to_points(in, image.data(), in_points.data(), in_plane);
  filters_to_points(in.tile, filter_plane, filters.data(), filter_points.data(), filter_plane);
  for (std::int64_t point = 0; point < points; ++point) {
    for (std::int64_t tile = 0; tile < in.tiles(); ++tile) {
      for (int output = 0; output < outputs; ++output) {
        const float* a = &in_points[point * in_plane + tile * in.channels];
        const float* b = &filter_points[point * filter_plane + std::int64_t{output} * in.channels];
        out_points[point * out_plane + tile * outputs + output] = std::inner_product(a, a + in.channels, b, 0.0F);
      }
    }
  }
  Values result(static_cast<std::size_t>(out.pixels() * outputs));
  output_from_points(out, out_points.data(), out_plane, result.data());
  return result;
}

struct Shape {
  int tile;
  int height;
  int width;
  friend std::ostream& operator<<(std::ostream& out, const Shape& shape) {
    return out << shape.height << 'x' << shape.width << " in tiles of " << shape.tile;
  }
};

class EveryShape : public testing::TestWithParam<Shape> {
 protected:
  WinogradMap map() const { return make_map(GetParam().tile, GetParam().height, GetParam().width); }
};

INSTANTIATE_TEST_SUITE_P(Winograd, EveryShape,
                         testing::Values(Shape{2, 4, 4}, Shape{2, 3, 1}, Shape{2, 5, 7}, Shape{4, 8, 8}, Shape{4, 7, 7},
                                         Shape{4, 1, 1}, Shape{4, 5, 14}, Shape{4, 32, 32}));

TEST_P(EveryShape, AgreesWithTheDefinition) {
  const WinogradMap in = make_map(GetParam().tile, GetParam().height, GetParam().width, 2 * kWinogradLanes);
  const int outputs = kWinogradLanes;
  const Values image = random_values(in.pixels() * in.channels, 1);
  const Values filters = random_values(std::int64_t{9} * in.channels * outputs, 2);
  const Values expected = direct(in, outputs, image, filters);
  const Values got = by_points(in, outputs, image, filters);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(got[i], expected[i], 2e-4) << i;  // of sums of 144 products
  }
}

// <to(a), b> = <a, from(b)> is what makes one the other's transpose.
TEST_P(EveryShape, TheWayBackIsTheTranspose) {
  const WinogradMap in = map();
  const std::int64_t plane = in.tiles() * in.channels;
  const Values image = random_values(in.pixels() * in.channels, 3);
  const Values points = random_values(points_of(in.tile) * plane, 4);
  Values to(points.size());
  Values from(image.size());
  const double tolerance = 1e-5 * static_cast<double>(points.size());

  input_to_points(in, image.data(), to.data(), plane);
  input_from_points(in, points.data(), plane, from.data());
  EXPECT_NEAR(dot(to, points), dot(image, from), tolerance);

  output_to_points(in, image.data(), to.data(), plane);
  output_from_points(in, points.data(), plane, from.data());
  EXPECT_NEAR(dot(to, points), dot(image, from), tolerance);
}

TEST(Winograd, FiltersGoBackByTheTranspose) {
  for (const int tile : {2, 4}) {
    const std::int64_t count = 3 * kWinogradLanes;
    const Values filters = random_values(9 * count, 5);
    const Values points = random_values(points_of(tile) * count, 6);
    Values to(points.size());
    Values from(filters.size());
    filters_to_points(tile, count, filters.data(), to.data(), count);
    filters_from_points(tile, count, points.data(), count, from.data());
    EXPECT_NEAR(dot(to, points), dot(filters, from), 1e-3);
  }
}

TEST(Winograd, IsPlannedOnlyWhereItPays) {
  EXPECT_FALSE(plan_winograd(128, 16, 16, 32, 32));  // few channels
  EXPECT_FALSE(plan_winograd(128, 36, 36, 32, 32));  // not whole lanes
  EXPECT_FALSE(plan_winograd(1, 256, 256, 8, 8));    // few tiles
  const auto plan = plan_winograd(128, 64, 64, 32, 32);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->in.tile, 4);
  EXPECT_LT(plan->group, 128);  // several groups
  EXPECT_EQ(plan_winograd(128, 512, 512, 4, 4)->in.tile, 2);
}

TEST(Winograd, ScratchHoldsFiltersAndAGroup) {
  const auto plan = plan_winograd(32, 64, 128, 8, 8);
  ASSERT_TRUE(plan);
  const std::int64_t filters = 36 * 64 * 128;
  const std::int64_t group = 36 * plan->group * 4 * (64 + 128);
  EXPECT_EQ(plan->scratch(false), filters + group);
  EXPECT_EQ(plan->scratch(true), 2 * filters + group);
}

}  // namespace
}  // namespace resist
