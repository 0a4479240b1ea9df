#include "resist/data/holdout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "counting_dataset.h"
#include "expect_input_error.h"
#include "read_sample.h"

namespace resist {
namespace {

std::vector<std::int64_t> labels(const Dataset& dataset) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    all.push_back(dataset.label(i));
  }
  return all;
}

TEST(Holdout, PartsAreDisjointCompleteAndInTheOriginalOrder) {
  const HoldoutSplit split = hold_out(std::make_shared<CountingDataset>(100), 20, 7);
  const auto rest = labels(*split.rest);
  const auto held_out = labels(*split.held_out);
  EXPECT_EQ(rest.size(), 80U);
  EXPECT_EQ(held_out.size(), 20U);
  EXPECT_TRUE(std::is_sorted(rest.begin(), rest.end()));
  std::set<std::int64_t> all(rest.begin(), rest.end());
  all.insert(held_out.begin(), held_out.end());
  EXPECT_EQ(all.size(), 100U);
  EXPECT_GT(held_out.back(), 50);  // not just the first ones
  std::vector<std::uint8_t> pixel(1);
  EXPECT_TRUE(read_sample(*split.held_out, 3, Framing::whole(), pixel));
  EXPECT_EQ(pixel[0], held_out[3]);
}

TEST(Holdout, LeavesOutWhatTheWholeSetDoes) {
  const auto dataset = std::make_shared<CountingDataset>(10, std::set<std::int64_t>{}, std::set<std::int64_t>{3});
  const HoldoutSplit split = hold_out(dataset, 5, 7);
  int left_out = 0;
  std::vector<std::uint8_t> pixel(1);
  for (const Dataset* part : {split.rest.get(), split.held_out.get()}) {
    for (std::int64_t i = 0; i < part->size(); ++i) {
      const bool is_there = read_sample(*part, i, Framing::whole(), pixel);
      EXPECT_EQ(is_there, part->label(i) != 3);
      left_out += is_there ? 0 : 1;
    }
  }
  EXPECT_EQ(left_out, 1);
}

TEST(Holdout, DependsOnTheSeedOnly) {
  const auto dataset = std::make_shared<CountingDataset>(100);
  EXPECT_EQ(labels(*hold_out(dataset, 20, 7).held_out), labels(*hold_out(dataset, 20, 7).held_out));
  EXPECT_NE(labels(*hold_out(dataset, 20, 7).held_out), labels(*hold_out(dataset, 20, 8).held_out));
}

TEST(Holdout, MustLeaveSomethingToTrainOn) {
  const auto dataset = std::make_shared<CountingDataset>(10);
  EXPECT_EQ(hold_out(dataset, 9, 1).rest->size(), 1);
  expect_input_error([&] { hold_out(dataset, 10, 1); }, {"--holdout is 10", "10 samples", "1 to 9"});
  expect_input_error([&] { hold_out(dataset, 0, 1); }, {"--holdout is 0"});
}

}  // namespace
}  // namespace resist
