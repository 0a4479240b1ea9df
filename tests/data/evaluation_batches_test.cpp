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
