#include "resist/data/known_sets.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "binary_files.h"
#include "environment_variable.h"
#include "expect_input_error.h"
#include "resist/data/statistics.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

const KnownSet& known(const std::string& name) {
  const auto& sets = known_sets();
  return *std::find_if(sets.begin(), sets.end(), [&](const KnownSet& set) { return set.info.name == name; });
}

class KnownSetsTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  EnvironmentVariable root_{"RESIST_DATA_DIR", (folder_.path() / "root").string()};
};

TEST_F(KnownSetsTest, HaveNormalisationForEachChannelAndTheirUsualAugmentation) {
  for (const KnownSet& set : known_sets()) {
    EXPECT_EQ(set.info.mean.size(), static_cast<std::size_t>(set.info.channels)) << set.info.name;
    EXPECT_EQ(set.info.stddev.size(), static_cast<std::size_t>(set.info.channels)) << set.info.name;
  }
  EXPECT_EQ(known("cifar10").info.crop_padding, 4);
  EXPECT_TRUE(known("cifar100").info.flip);
  EXPECT_EQ(known("cifar100").info.classes, 100);
  EXPECT_EQ(known("fashion-mnist").info.crop_padding, 2);
  EXPECT_TRUE(known("fashion-mnist").info.flip);
  EXPECT_EQ(known("mnist").info.crop_padding, 2);
  EXPECT_FALSE(known("mnist").info.flip);
  EXPECT_FALSE(known("kmnist").info.flip);
}

TEST_F(KnownSetsTest, AreFoundBelowTheEnvironmentsFolder) {
  write_idx_set(folder_.path() / "root" / "mnist");
  EXPECT_EQ(find_known_set(known("mnist"), {}), folder_.path() / "root" / "mnist");
}

TEST_F(KnownSetsTest, AGivenFolderComesFirst) {
  write_idx_set(folder_.path() / "root" / "mnist");
  write_idx_set(folder_.path() / "given");
  write_idx_set(folder_.path() / "parent" / "mnist");
  EXPECT_EQ(find_known_set(known("mnist"), folder_.path() / "given"), folder_.path() / "given");
  EXPECT_EQ(find_known_set(known("mnist"), folder_.path() / "parent"), folder_.path() / "parent" / "mnist");
}

TEST_F(KnownSetsTest, AGivenFolderWithoutTheSetIsAnErrorEvenIfItLiesElsewhere) {
  write_idx_set(folder_.path() / "root" / "fashion-mnist");
  const auto given = folder_.path() / "given";
  expect_input_error([&] { find_known_set(known("fashion-mnist"), given); },
                     {"'" + given.string() + "'", "dataset-fashion-mnist"});
}

TEST_F(KnownSetsTest, CifarIsFoundInTheFolderOfItsArchive) {
  const auto unpacked = folder_.path() / "root" / "cifar10" / "cifar-10-batches-bin";
  std::filesystem::create_directories(unpacked);
  write_bytes(unpacked / "data_batch_1.bin", {1});
  EXPECT_EQ(find_known_set(known("cifar10"), {}), unpacked);
}

TEST_F(KnownSetsTest, TheErrorListsEveryPlaceAndHowToGetTheSet) {
  expect_input_error([&] { find_known_set(known("kmnist"), {}); },
                     {"kmnist", (folder_.path() / "root" / "kmnist").string(), "'data/kmnist'",
                      "'/usr/share/datasets/kmnist'", "codh.rois.ac.jp", "--data-dir"});
  expect_input_error([&] { find_known_set(known("cifar100"), {}); },
                     {"data/cifar100/cifar-100-binary", "cifar-100-binary.tar.gz"});
}

TEST_F(KnownSetsTest, TheDebianPackageIsReadWithItsTrueNormalisation) {
  const std::filesystem::path folder = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(folder)) {
    GTEST_SKIP() << "the Debian package dataset-fashion-mnist is not installed";
  }
  const KnownSet& set = known("fashion-mnist");
  const DataSource source = set.open(set.info, folder);
  EXPECT_EQ(source.train->size(), 60000);
  EXPECT_EQ(source.test->size(), 10000);
  EXPECT_EQ(source.info.height, 28);
  EXPECT_EQ(source.info.width, 28);
  EXPECT_EQ(set.info.class_names.at(static_cast<std::size_t>(source.train->label(0))), "Ankle boot");
  const ChannelStatistics statistics = channel_statistics(*source.train, source.info, source.train->size());
  EXPECT_NEAR(statistics.mean.at(0), source.info.mean.at(0), 1e-4);
  EXPECT_NEAR(statistics.stddev.at(0), source.info.stddev.at(0), 1e-4);
}

}  // namespace
}  // namespace resist
