#include <gtest/gtest.h>

#include <sstream>
#include <stdexcept>

#include "binary_files.h"
#include "environment_variable.h"
#include "expect_input_error.h"
#include "picture_folder.h"
#include "read_sample.h"
#include "resist/data/image_folder.h"
#include "resist/data/packed.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

constexpr PictureFormat kSmall{3, 16, 24};
constexpr PictureFormat kLarge{3, 100, 120};

class PackTest : public testing::Test {
 protected:
  void pack() { pack_data(options_, progress_); }
  void expect_refused(std::initializer_list<std::string> parts) {
    expect_input_error([&] { pack(); }, parts);
    EXPECT_FALSE(fs::exists(packed_));
    EXPECT_FALSE(fs::exists(packed_.string() + ".tmp")) << "something is left behind";
  }
  static Bytes read(const Dataset& dataset, std::int64_t index, const Framing& framing, const DatasetInfo& info) {
    Bytes pixels(info.input_values());
    EXPECT_TRUE(read_sample(dataset, index, framing, pixels));
    return pixels;
  }
  static void expect_same(const Dataset& packed, const Dataset& folder, const DatasetInfo& info) {
    ASSERT_EQ(packed.size(), folder.size());
    const RandomStream random(1, RandomPurpose::augmentation, {});
    for (std::int64_t index = 0; index < packed.size(); ++index) {
      EXPECT_EQ(packed.label(index), folder.label(index));
      for (const Framing& framing : {info.evaluation_framing(), Framing::random(0.3, random)}) {
        EXPECT_EQ(read(packed, index, framing, info), read(folder, index, framing, info)) << index;
      }
    }
  }
  // The packed file is the data set that its source is.
  void expect_same_as_folder() const {
    const DataSource folder = open_image_folder(source_, 0, 0);
    const DataSource packed = open_packed(packed_, 0, 0);
    EXPECT_EQ(packed.info.channels, folder.info.channels);
    EXPECT_EQ(packed.info.input_size(), folder.info.input_size());
    EXPECT_EQ(packed.info.own_sizes, folder.info.own_sizes);
    EXPECT_EQ(packed.info.crop_padding, folder.info.crop_padding);
    EXPECT_EQ(packed.info.flip, folder.info.flip);
    EXPECT_EQ(packed.info.classes, folder.info.classes);
    EXPECT_EQ(packed.info.class_names, folder.info.class_names);
    EXPECT_EQ(packed.info.mean, folder.info.mean);
    EXPECT_EQ(packed.info.stddev, folder.info.stddev);
    expect_same(*packed.train, *folder.train, folder.info);
    expect_same(*packed.test, *folder.test, folder.info);
  }

  const TemporaryFolder folder_;
  const fs::path source_ = folder_.path() / "things";
  const fs::path packed_ = folder_.path() / "things.packed";
  const EnvironmentVariable cache_{"XDG_CACHE_HOME", (folder_.path() / "cache").string()};
  PackOptions options_{.source = source_, .destination = packed_};
  std::ostringstream progress_;
};

TEST_F(PackTest, SmallPicturesBecomePixelsThatAreTheFolders) {
  write_picture_folder(source_, kSmall);
  pack();
  const PackedInfo info = packed_info(packed_);
  EXPECT_EQ(info.storage, PackStorage::pixels);
  EXPECT_EQ(info.info.name, "things");
  EXPECT_FALSE(info.info.decodes);
  EXPECT_EQ(info.parts, (std::vector<std::pair<std::string, std::int64_t>>{{"train", 5}, {"test", 3}}));
  EXPECT_EQ(info.bytes, static_cast<std::int64_t>(fs::file_size(packed_)));
  expect_same_as_folder();
}

TEST_F(PackTest, FilesAreTheFolders) {
  write_picture_folder(source_, kSmall);
  options_.storage = PackStorage::files;
  pack();
  EXPECT_EQ(packed_info(packed_).storage, PackStorage::files);
  EXPECT_TRUE(packed_info(packed_).info.decodes);
  expect_same_as_folder();
}

TEST_F(PackTest, LargerPicturesBecomeFiles) {
  write_picture_folder(source_, kLarge);
  pack();
  EXPECT_EQ(packed_info(packed_).storage, PackStorage::files);
  EXPECT_TRUE(packed_info(packed_).info.own_sizes);
  expect_same_as_folder();
}

TEST_F(PackTest, PicturesOfDifferentSizesBecomeFiles) {
  write_picture_folder(source_, kSmall);
  write_picture(source_ / "train/dog/3.png", {3, 24, 16}, 9);
  write_picture(source_ / "train/dog/4.png", {1, 16, 24}, 10);
  pack();
  EXPECT_EQ(packed_info(packed_).storage, PackStorage::files);
  expect_same_as_folder();
}

TEST_F(PackTest, GreyAmongColourBecomesColour) {
  write_picture_folder(source_, {1, 16, 24});
  write_picture(source_ / "train/dog/1.png", kSmall, 9);
  pack();
  EXPECT_EQ(packed_info(packed_).storage, PackStorage::pixels);
  EXPECT_EQ(packed_info(packed_).info.channels, 3);
  expect_same_as_folder();
}

TEST_F(PackTest, PixelsNeedOneSize) {
  write_picture_folder(source_, kSmall);
  write_picture(source_ / "test/dog/3.png", {3, 24, 16}, 9);
  options_.storage = PackStorage::pixels;
  expect_refused({"16x24", "24x16", "--resize N", "--storage files"});
}

TEST_F(PackTest, ResizedPixelsAreSquares) {
  write_picture_folder(source_, kLarge);
  write_picture(source_ / "test/cat/1.png", {3, 8, 8}, 9);
  options_.storage = PackStorage::pixels;
  options_.resize = 8;
  pack();
  const DataSource packed = open_packed(packed_, 0, 0);
  EXPECT_EQ(packed.info.input_size(), (PictureSize{8, 8}));
  EXPECT_FALSE(packed.info.own_sizes);
  const std::string file = read_picture_file(source_ / "train/dog/2.png");
  Bytes expected(std::size_t{3} * 8 * 8);
  read_picture(file, Framing::centre(), {3, 8, 8}, expected);
  EXPECT_EQ(read(*packed.train, 4, Framing::whole(), packed.info), expected);
  read_picture(read_picture_file(source_ / "test/cat/1.png"), Framing::whole(), {3, 8, 8}, expected);
  EXPECT_EQ(read(*packed.test, 0, Framing::whole(), packed.info), expected) << "it has the size already";
}

TEST_F(PackTest, ResizedFilesAreTheShrunkOnes) {
  write_picture_folder(source_, kLarge);
  options_.resize = 50;
  pack();
  const DataSource packed = open_packed(packed_, 0, 0);
  EXPECT_EQ(packed.info.input_size(), (PictureSize{50, 60}));
  const std::string shrunk = shrink_picture(read_picture_file(source_ / "train/cat/1.png"), 50);
  Bytes expected(packed.info.input_values());
  read_picture(shrunk, Framing::whole(), {3, 50, 60}, expected);
  EXPECT_EQ(read(*packed.train, 0, Framing::whole(), packed.info), expected);
}

TEST_F(PackTest, NeverReplacesAFile) {
  write_picture_folder(source_, kSmall);
  write_bytes(packed_, {'x'});
  expect_input_error([&] { pack(); }, {"'" + packed_.string() + "' is there already"});
  EXPECT_EQ(read_bytes(packed_), Bytes{'x'});
}

TEST_F(PackTest, ReplacesWhatAKilledPackingLeft) {
  write_picture_folder(source_, kSmall);
  write_bytes(packed_.string() + ".tmp", Bytes(100'000, 'x'));
  pack();
  EXPECT_FALSE(fs::exists(packed_.string() + ".tmp"));
  expect_same_as_folder();
}

TEST_F(PackTest, ADamagedPictureEndsItUnlessItMayBeLeftOut) {
  write_picture_folder(source_, kSmall);
  const fs::path broken = source_ / "train/cat/2.png";
  Bytes bytes = read_bytes(broken);
  bytes.resize(bytes.size() / 2);
  write_bytes(broken, bytes);
  expect_refused({broken.string(), "--skip-corrupt"});
  write_bytes(source_ / "test/dog/1.png", {});
  options_.skip_corrupt = 1;
  expect_refused({(source_ / "test/dog/1.png").string(), "--skip-corrupt is 1"});
  options_.skip_corrupt = 2;
  pack();
  EXPECT_EQ(packed_info(packed_).parts, (std::vector<std::pair<std::string, std::int64_t>>{{"train", 4}, {"test", 2}}));
  EXPECT_EQ(open_packed(packed_, 0, 0).train->label(2), 1) << "the third is the first dog now";
}

TEST_F(PackTest, NothingIsWrittenWhereNoPictureCanBeUsed) {
  write_picture_folder(source_, kSmall);
  options_.skip_corrupt = 100;
  for (const char* name : {"test/cat/1.png", "test/dog/1.png", "test/dog/2.png"}) {
    write_bytes(source_ / name, {'x'});
  }
  expect_refused({(source_ / "test").string(), "none of the pictures"});
  for (const char* name : {"cat/1.png", "cat/2.png", "cat/3.png", "dog/1.png", "dog/2.png"}) {
    write_bytes(source_ / "train" / name, {'x'});
  }
  expect_refused({"none of the pictures", "neither JPEG nor PNG"});
}

TEST_F(PackTest, RefusesASourceThatIsNone) {
  expect_refused({source_.string()});
  write_picture_folder(source_, kSmall);
  fs::remove_all(source_ / "test");
  expect_refused({source_.string(), "test/", "val/"});
}

TEST_F(PackTest, RefusesImpossibleNumbers) {
  write_picture_folder(source_, kSmall);
  options_.resize = -1;
  expect_refused({"--resize is -1"});
  options_.resize = 4097;
  expect_refused({"--resize is 4097", "4096"});
  options_.resize = 0;
  options_.skip_corrupt = -1;
  expect_refused({"--skip-corrupt is -1"});
}

TEST_F(PackTest, RefusesClassNamesThatCantBeStored) {
  write_picture_folder(source_, kSmall);
  write_picture(source_ / "train" / "\xff" / "1.png", kSmall, 9);
  expect_refused({"not one line of UTF-8"});
}

TEST_F(PackTest, ValIsTakenWhereThereIsNoTest) {
  write_picture_folder(source_, kSmall);
  fs::rename(source_ / "test", source_ / "val");
  pack();
  expect_same_as_folder();
}

TEST_F(PackTest, AFolderWithoutTrainIsOnePart) {
  write_picture_folder(source_, kSmall);
  options_.source = source_ / "test" / "";
  pack();
  EXPECT_EQ(packed_info(packed_).parts, (std::vector<std::pair<std::string, std::int64_t>>{{"all", 3}}));
  EXPECT_EQ(packed_info(packed_).info.name, "test");
}

TEST_F(PackTest, TellsWhatItDoes) {
  write_picture_folder(source_, kSmall);
  pack();
  EXPECT_EQ(progress_.str(),
            "train: 5 pictures, stored as pixels\ntest: 3 pictures, stored as pixels\n"
            "computing the normalisation\nwrote 8 samples, " +
                std::to_string(fs::file_size(packed_)) + " bytes\n");
}

TEST_F(PackTest, LeavesNothingWhenItIsTold) {
  write_picture_folder(source_, kSmall);
  int pictures = 0;
  const auto stop = [&] {
    if (++pictures == 3) {
      throw std::runtime_error("told to stop");
    }
  };
  EXPECT_THROW(pack_data(options_, progress_, stop), std::runtime_error);
  EXPECT_FALSE(fs::exists(packed_));
  EXPECT_FALSE(fs::exists(packed_.string() + ".tmp"));
}

}  // namespace
}  // namespace resist
