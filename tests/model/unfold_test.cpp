#include "resist/model/unfold.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "support/random_values.h"

namespace resist {
namespace {

using Values = std::vector<float>;
using Bits = std::vector<Bf16>;

float value(Bf16 bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16U);
}

Values values(const Bits& bits) {
  Values result;
  for (const Bf16 one : bits) {
    result.push_back(value(one));
  }
  return result;
}

// Of whole numbers, which bf16 holds exactly.
Bits whole(std::int64_t count, std::uint64_t seed) {
  Bits bits;
  for (const float random : random_values(count, seed)) {
    bits.push_back(static_cast<Bf16>(std::bit_cast<std::uint32_t>(std::round(4 * random)) >> 16U));
  }
  return bits;
}

double dot(const Values& a, const Values& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

const std::vector<UnfoldedMap> kMaps = {
    {.height = 4, .width = 4, .channels = 3, .kernel = 3, .stride = 1},
    {.height = 5, .width = 3, .channels = 2, .kernel = 3, .stride = 1},
    {.height = 7, .width = 8, .channels = 2, .kernel = 3, .stride = 2},
    {.height = 1, .width = 1, .channels = 70, .kernel = 3, .stride = 1},  // more channels than are worked at once
    {.height = 2, .width = 2, .channels = 1, .kernel = 3, .stride = 2},
    {.height = 6, .width = 4, .channels = 2, .kernel = 5, .stride = 1},
};

std::int64_t image_size(const UnfoldedMap& map) {
  return map.pixels() * map.channels;
}

Bits rows_of(const UnfoldedMap& map, const Bits& image) {
  Bits rows(static_cast<std::size_t>(map.out_pixels() * map.row()), Bf16{0xFFFF});
  unfold(map, image.data(), rows.data());
  return rows;
}

TEST(Unfold, ARowHasWhatItsPixelSees) {
  for (const UnfoldedMap& map : kMaps) {
    const Values image = values(whole(image_size(map), 1));
    const Values rows = values(rows_of(map, whole(image_size(map), 1)));
    std::size_t at = 0;
    for (int y = 0; y < map.height; y += map.stride) {
      for (int x = 0; x < map.width; x += map.stride) {
        for (int i = y - map.kernel / 2; i <= y + map.kernel / 2; ++i) {
          for (int j = x - map.kernel / 2; j <= x + map.kernel / 2; ++j) {
            for (int channel = 0; channel < map.channels; ++channel) {
              const bool inside = i >= 0 && i < map.height && j >= 0 && j < map.width;
              ASSERT_EQ(rows[at++], inside ? image[(i * map.width + j) * map.channels + channel] : 0);
            }
          }
        }
      }
    }
    ASSERT_EQ(at, rows.size());
  }
}

TEST(Unfold, FoldIsItsTranspose) {
  for (const UnfoldedMap& map : kMaps) {
    const Bits image = whole(image_size(map), 2);
    const Bits rows = whole(map.out_pixels() * map.row(), 3);
    Bits folded(image.size(), Bf16{0xFFFF});
    fold(map, rows.data(), folded.data());
    EXPECT_EQ(dot(values(rows_of(map, image)), values(rows)), dot(values(image), values(folded)));
    EXPECT_NE(dot(values(image), values(folded)), 0);
  }
}

TEST(Unfold, FoldAddsInFloat32) {
  // 256 + 1 is no bf16, 256 + 1 + 1 is.
  const UnfoldedMap map{.height = 1, .width = 3, .channels = 1, .kernel = 3, .stride = 1};
  Bits rows(static_cast<std::size_t>(map.out_pixels() * map.row()));
  const auto put = [&](int pixel, int place, float given) {
    rows[static_cast<std::size_t>(pixel * map.row() + place)] =
        static_cast<Bf16>(std::bit_cast<std::uint32_t>(given) >> 16U);
  };
  put(0, 5, 256);
  put(1, 4, 1);
  put(2, 3, 1);
  Bits image(3);
  fold(map, rows.data(), image.data());
  EXPECT_EQ(values(image), (Values{0, 258, 0}));
}

TEST(Unfold, PackedFiltersComeBack) {
  const UnfoldedMap map = kMaps.front();
  constexpr std::int64_t kOutputs = 5;
  const Values filters = values(whole(kOutputs * map.row(), 4));
  Bits packed(filters.size());
  pack_filters(map, kOutputs, filters.data(), packed.data());
  const auto place = [&](std::int64_t output, std::int64_t input, std::int64_t at) {
    return static_cast<std::size_t>(output * map.row() + at * map.channels + input);
  };
  EXPECT_EQ(value(packed[place(1, 2, 3)]), filters[static_cast<std::size_t>(map.row() + 2 * 9 + 3)]);
  Values back(filters.size(), std::numeric_limits<float>::quiet_NaN());
  add_packed(map, kOutputs, packed.data(), true, back.data());
  EXPECT_EQ(back, filters);
  add_packed(map, kOutputs, packed.data(), false, back.data());
  EXPECT_EQ(back[7], 2 * filters[7]);
}

TEST(Unfold, PackingRoundsToTheNearest) {
  const UnfoldedMap map{.height = 1, .width = 1, .channels = 4, .kernel = 1, .stride = 1};
  const Values filters = {1.0F, 1.00390625F, 1.01171875F, -1.005F};  // the second and third lie half way
  Bits packed(filters.size());
  pack_filters(map, 1, filters.data(), packed.data());
  EXPECT_EQ(values(packed), (Values{1.0F, 1.0F, 1.015625F, -1.0078125F}));
}

TEST(UnfoldedPlan, IsForSmallMapsOfManyChannels) {
  const auto plan = [](int side, int channels, int kernel, int stride) {
    return plan_unfolded(32, {.height = side, .width = side, .channels = channels, .kernel = kernel, .stride = stride},
                         channels);
  };
  ASSERT_TRUE(plan(4, 512, 3, 1));
  EXPECT_FALSE(plan(4, 512, 3, 1)->weight_gradient_only);
  EXPECT_FALSE(plan(16, 128, 3, 2)->weight_gradient_only);
  EXPECT_TRUE(plan(8, 256, 3, 1)->weight_gradient_only);
  EXPECT_FALSE(plan(4, 512, 1, 1));
  EXPECT_FALSE(plan(4, 16, 3, 1));
  EXPECT_FALSE(plan(8, 32, 3, 1));
  EXPECT_FALSE(plan(16, 256, 3, 1));
}

TEST(UnfoldedPlan, RowsOfAGroupAreAFewMegabytes) {
  const UnfoldedMap map{.height = 8, .width = 8, .channels = 256, .kernel = 3, .stride = 1};
  const auto large = plan_unfolded(1024, map, 256);
  EXPECT_LT(large->group, 1024);
  EXPECT_LT(large->scratch(), 16 << 20);
  EXPECT_EQ(plan_unfolded(1, map, 256)->group, 1);
}

}  // namespace
}  // namespace resist
