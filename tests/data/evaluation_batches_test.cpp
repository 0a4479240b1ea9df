#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "counting_dataset.h"
#include "expect_input_error.h"
#include "resist/data/loader.h"

namespace resist {
namespace {

TEST(EvaluationBatches, CoverEachSampleOnceInSizesThatDifferByAtMostOne) {
  for (const std::int64_t samples : {1, 9, 10, 11, 100, 101}) {
    for (const int batch_size : {1, 3, 10, 1000}) {
      const EvaluationBatches batches(std::make_shared<CountingDataset>(samples), plain_info(1, 1, 2), batch_size);
      std::vector<std::int64_t> seen;
      std::vector<std::int64_t> sizes;
      Batch batch;
      for (std::int64_t index = 0; index < batches.count(); ++index) {
        batches.read(index, batch);
        EXPECT_EQ(batch.size(), batches.size(index));
        EXPECT_EQ(batch.pixels.size(), static_cast<std::size_t>(batch.size() * 2));
        sizes.push_back(batch.size());
        seen.insert(seen.end(), batch.labels.begin(), batch.labels.end());
      }
      std::sort(seen.begin(), seen.end());
      ASSERT_EQ(seen.size(), static_cast<std::size_t>(samples));
      for (std::int64_t sample = 0; sample < samples; ++sample) {
        EXPECT_EQ(seen[static_cast<std::size_t>(sample)], sample);
      }
      const auto [least, most] = std::minmax_element(sizes.begin(), sizes.end());
      EXPECT_LE(*most - *least, 1);
      EXPECT_LE(*most, batch_size);
      EXPECT_EQ(batches.count(), (samples + batch_size - 1) / batch_size);
    }
  }
}

TEST(EvaluationBatches, AreShuffledTheSameWayEveryTimeAndNormalised) {
  const auto dataset = std::make_shared<CountingDataset>(100);
  const EvaluationBatches batches(dataset, plain_info(1, 1, 2), 10);
  const EvaluationBatches again(dataset, plain_info(1, 1, 2), 10);
  Batch batch;
  Batch same;
  batches.read(3, batch);
  again.read(3, same);
  EXPECT_EQ(batch.labels, same.labels);
  EXPECT_FALSE(std::is_sorted(batch.labels.begin(), batch.labels.end()));
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_NEAR(batch.pixels[2 * i], static_cast<float>(batch.labels[i]), 1e-4);
    EXPECT_NEAR(batch.pixels[2 * i + 1], static_cast<float>(batch.labels[i] + 1), 1e-4);
  }
}

TEST(EvaluationBatches, AreTheSameOnAnyNumberOfThreads) {
  const auto dataset = std::make_shared<CountingDataset>(23, std::set<std::int64_t>{}, std::set<std::int64_t>{2, 7, 8});
  const EvaluationBatches batches(dataset, plain_info(1, 3, 4), 8);
  for (std::int64_t index = 0; index < batches.count(); ++index) {
    Batch expected;
    batches.read(index, expected);
    for (const int threads : {2, 5, 30}) {
      Batch batch;
      batches.read(index, batch, threads);
      EXPECT_EQ(batch.labels, expected.labels);
      EXPECT_EQ(batch.pixels, expected.pixels);
    }
  }
}

TEST(EvaluationBatches, LackDamagedSamplesAndMayBeEmpty) {
  std::set<std::int64_t> damaged;
  for (std::int64_t i = 0; i < 10; ++i) {
    if (i != 4) {
      damaged.insert(i);
    }
  }
  const EvaluationBatches batches(std::make_shared<CountingDataset>(10, std::set<std::int64_t>{}, damaged),
                                  plain_info(1, 1, 2), 5);
  Batch first;
  Batch second;
  batches.read(0, first);
  batches.read(1, second);
  EXPECT_EQ(first.size() + second.size(), 1);
  const Batch& full = first.size() > 0 ? first : second;
  EXPECT_EQ(full.labels, std::vector<std::int64_t>{4});
  ASSERT_EQ(full.pixels.size(), 2U);
  EXPECT_NEAR(full.pixels[1], 5, 1e-4);
  EXPECT_EQ(batches.size(0), 5);
}

TEST(EvaluationBatches, RethrowTheFirstSamplesError) {
  const std::set<std::int64_t> all = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const EvaluationBatches batches(std::make_shared<CountingDataset>(10, all), plain_info(1, 1, 2), 10);
  const EvaluationBatches sound(std::make_shared<CountingDataset>(10), plain_info(1, 1, 2), 10);
  Batch batch;
  sound.read(0, batch);
  const std::string expected = "sample " + std::to_string(batch.labels.front()) + " is broken";
  for (const int threads : {1, 4}) {
    try {
      batches.read(0, batch, threads);
      ADD_FAILURE() << "no error";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), expected);
    }
  }
}

TEST(EvaluationBatches, RefuseWhatIsNotThere) {
  const auto dataset = std::make_shared<CountingDataset>(10);
  expect_input_error([&] { EvaluationBatches(dataset, plain_info(1, 1, 1), 0); }, {"batches of 0"});
  EXPECT_THROW(EvaluationBatches(std::make_shared<CountingDataset>(0), plain_info(1, 1, 1), 5), InputError);
  const EvaluationBatches batches(dataset, plain_info(1, 1, 1), 5);
  EXPECT_THROW(batches.size(2), Error);
  EXPECT_THROW(batches.size(-1), Error);
}

}  // namespace
}  // namespace resist
