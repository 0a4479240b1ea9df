#include "resist/model/device.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include "resist/model/cuda.h"
#include "support/input_error.h"

namespace resist {
namespace {

TEST(Device, AutoIsTheProcessor) {
  EXPECT_EQ(choose_device("auto", 0, 0), "cpu");
  EXPECT_EQ(choose_device("auto", 0, 1), "cpu");
}

TEST(Device, WorkersTakeTheGpusInTurn) {
  EXPECT_EQ(choose_device("cuda", 1, 2), "cuda:1");
  EXPECT_EQ(choose_device("cuda", 2, 2), "cuda:0");
  EXPECT_EQ(choose_device("cuda", 7, 4), "cuda:3");
}

TEST(Device, OneThatIsAskedForByItsNumberIsTaken) {
  EXPECT_EQ(choose_device("cpu", 3, 2), "cpu");
  EXPECT_EQ(choose_device("cuda:1", 0, 2), "cuda:1");
}

TEST(Device, AGpuThatIsNotThereIsAnInputError) {
  const std::string none = input_error([] { choose_device("cuda", 0, 0); });
  EXPECT_NE(none.find("--device is cuda"), std::string::npos) << none;
  EXPECT_NE(none.find("--device cpu"), std::string::npos) << none;
  const std::string beyond = input_error([] { choose_device("cuda:2", 0, 2); });
  EXPECT_NE(beyond.find("--device is cuda:2"), std::string::npos) << beyond;
  EXPECT_NE(beyond.find("cuda:1"), std::string::npos) << beyond;
}

TEST(Device, AGpuIsSharedByAsManyThreadsAsItHasQueues) {
  check_sharing("cpu", 1000);
  check_sharing("cuda:0", kMostCudaQueues);
  const std::string more = input_error([] { check_sharing("cuda:1", kMostCudaQueues + 1); });
  EXPECT_NE(more.find("33 workers"), std::string::npos) << more;
  EXPECT_NE(more.find("cuda:1"), std::string::npos) << more;
}

TEST(Device, AProcessorHasNoName) {
  EXPECT_EQ(device_in_words("cpu"), "cpu");
}

class Gpu : public testing::Test {
 protected:
  void SetUp() override {
    if (cuda_devices() == 0) {
      GTEST_SKIP() << "needs a GPU";
    }
  }
};

TEST_F(Gpu, IsNamedByItsDriver) {
  EXPECT_EQ(device_in_words("cuda:0"), "cuda:0 (" + cuda_device_name(0) + ")");
  EXPECT_FALSE(cuda_device_name(0).empty());
}

TEST_F(Gpu, ReplaysARecordingOnWhatItsTensorsHold) {
  CudaQueue queue(0);
  at::Tensor values;
  at::Tensor sum;
  queue.run([&] {
    values = at::ones({1000}, at::device(at::kCUDA));
    sum = values.sum();
  });
  const int adds = queue.record([&] { values.add_(1); });
  const int sums = queue.record([&] { sum = values.sum(); });
  const auto total = [&] {
    double result = 0;
    queue.run([&] { result = sum.item<double>(); });
    return result;
  };
  queue.replay(sums);
  EXPECT_EQ(total(), 1000);  // recording has not added
  queue.replay(adds);
  queue.replay(adds);
  queue.replay(sums);
  EXPECT_EQ(total(), 3000);
}

}  // namespace
}  // namespace resist
