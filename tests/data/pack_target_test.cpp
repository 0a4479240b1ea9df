#include "resist/data/pack_target.h"

#include <gtest/gtest.h>

#include <vector>

#include "binary_files.h"
#include "expect_input_error.h"
#include "picture_folder.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

PackTarget choose(const std::vector<PictureFormat>& looked_at, PackStorage storage = PackStorage::automatic,
                  int resize = 0) {
  return choose_pack_target(looked_at, storage, resize);
}

TEST(PackTarget, AutomaticIsPixelsForOneSizeUpTo64) {
  EXPECT_EQ(choose({{3, 64, 64}, {1, 64, 64}}).storage, PackStorage::pixels);
  EXPECT_EQ(choose({{3, 64, 65}}).storage, PackStorage::files);
  EXPECT_EQ(choose({{3, 65, 64}}).storage, PackStorage::files);
  EXPECT_EQ(choose({{3, 28, 28}, {3, 28, 27}}).storage, PackStorage::files);
}

TEST(PackTarget, PixelsHaveTheSizeOfAllOrTheOneAskedFor) {
  EXPECT_EQ(choose({{1, 28, 20}, {3, 28, 20}}).format, (PictureFormat{3, 28, 20}));
  EXPECT_EQ(choose({{3, 28, 20}, {3, 500, 400}}, PackStorage::pixels, 32).format, (PictureFormat{3, 32, 32}));
  expect_input_error(
      [] {
        choose({{3, 28, 20}, {3, 28, 20}, {3, 20, 28}}, PackStorage::pixels);
      },
      {"28x20", "20x28", "--resize"});
}

class PreparePictureTest : public testing::Test {
 protected:
  const TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "a.png";
};

TEST_F(PreparePictureTest, AFileIsStoredAsItIs) {
  write_picture(path_, {3, 30, 20}, 1);
  const PreparedPicture prepared = prepare_picture(path_, {.storage = PackStorage::files, .resize = 20});
  EXPECT_FALSE(prepared.damage.has_value());
  EXPECT_EQ(prepared.format, (PictureFormat{3, 30, 20}));
  EXPECT_EQ(prepared.sample, read_picture_file(path_));
}

TEST_F(PreparePictureTest, ALargerFileIsShrunk) {
  write_picture(path_, {3, 30, 20}, 1);
  const PreparedPicture prepared = prepare_picture(path_, {.storage = PackStorage::files, .resize = 10});
  EXPECT_EQ(prepared.format, (PictureFormat{3, 15, 10}));
  EXPECT_EQ(picture_format(prepared.sample), prepared.format);
}

TEST_F(PreparePictureTest, DamageIsNamed) {
  const PackTarget target{.storage = PackStorage::files};
  const auto damage = [&] {
    const PreparedPicture prepared = prepare_picture(path_, target);
    EXPECT_TRUE(prepared.sample.empty());
    return prepared.damage.value();
  };
  expect_input_error([&] { throw damage(); }, {path_.string(), "there is no such file"});
  write_bytes(path_, {'x'});
  expect_input_error([&] { throw damage(); }, {path_.string(), "neither JPEG nor PNG"});
}

TEST_F(PreparePictureTest, ASoundPictureThatCantBecomePixelsIsNoDamage) {
  const PackTarget target{.storage = PackStorage::pixels, .format = {1, 30, 20}};
  write_picture(path_, {1, 30, 21}, 1);
  expect_input_error([&] { prepare_picture(path_, target); }, {path_.string(), "30x21", "30x20", "--storage files"});
  write_picture(path_, {3, 30, 20}, 1);
  expect_input_error([&] { prepare_picture(path_, target); }, {path_.string(), "3 channels", "--storage files"});
  write_picture(path_, {1, 30, 20}, 1);
  EXPECT_EQ(prepare_picture(path_, target).sample.size(), 600U);
}

}  // namespace
}  // namespace resist
