#include <gtest/gtest.h>

#include "binary_files.h"
#include "environment_variable.h"
#include "expect_input_error.h"
#include "picture_folder.h"
#include "read_sample.h"
#include "resist/data/dataset.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

class OpenDataPicturesTest : public testing::Test {
 protected:
  DataSource open(const std::string& data, const std::vector<std::string>& further, int image_size = 0) const {
    DataOptions options;
    options.data = data;
    options.data_dir = folder_.path() / "mnist";
    return open_data(options, further, image_size, 1);
  }

  TemporaryFolder folder_;
  std::string set_ = (folder_.path() / "set").string();
  std::string more_ = (folder_.path() / "more").string();
  EnvironmentVariable cache_{"XDG_CACHE_HOME", (folder_.path() / "cache").string()};
};

TEST_F(OpenDataPicturesTest, FurtherTestSetsAreInTheOrderGiven) {
  write_picture_folder(set_, {3, 32, 32});
  write_picture(more_ + "/dog/x.png", {3, 32, 32}, 1);
  const DataSource source = open(set_, {"b=" + more_, "a=" + set_});
  EXPECT_EQ(source.test->size(), 3);
  ASSERT_EQ(source.further.size(), 2U);
  EXPECT_EQ(source.further[0].name, "b");
  EXPECT_EQ(source.further[0].dataset->size(), 1);
  EXPECT_EQ(source.further[0].dataset->label(0), 1);
  EXPECT_EQ(source.further[1].name, "a");
  EXPECT_EQ(source.further[1].dataset->size(), 3);
}

TEST_F(OpenDataPicturesTest, TheImageSizeReachesTheFolder) {
  write_picture_folder(set_, {3, 32, 32});
  EXPECT_EQ(open(set_, {}).info.input_size(), (PictureSize{32, 32}));
  EXPECT_EQ(open(set_, {}, 48).info.input_size(), (PictureSize{48, 48}));
}

TEST_F(OpenDataPicturesTest, AKnownSetTakesPicturesOfItsSizeInNumberedFolders) {
  write_idx_set(folder_.path() / "mnist");
  write_picture(more_ + "/7/x.png", {1, 3, 4}, 1);
  const DataSource source = open("mnist", {"more=" + more_});
  EXPECT_EQ(source.further.at(0).dataset->label(0), 7);
  std::vector<std::uint8_t> pixels(12);
  EXPECT_TRUE(read_sample(*source.further.at(0).dataset, 0, source.info.evaluation_framing(), pixels));
  write_picture(more_ + "/7/x.png", {1, 4, 4}, 1);
  expect_input_error([&] { open("mnist", {"more=" + more_}); }, {more_, "4x4", "3x4"});
}

}  // namespace
}  // namespace resist
