#include "resist/data/image_folder.h"

#include <gtest/gtest.h>

#include <thread>

#include "binary_files.h"
#include "environment_variable.h"
#include "expect_input_error.h"
#include "picture_files.h"
#include "resist/data/augment.h"
#include "resist/data/loader.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

constexpr PictureFormat kFormat{3, 16, 24};

class ImageFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* part : {"train", "test"}) {
      for (const char* name : {"b-dog", "a-cat"}) {
        std::filesystem::create_directories(root_ / part / name);
      }
    }
    write_png(root_ / "train" / "a-cat" / "2.png", kFormat, flat(kFormat, {20, 0, 0}));
    write_png(root_ / "train" / "a-cat" / "1.PNG", kFormat, flat(kFormat, {10, 0, 0}));
    write_jpeg(root_ / "train" / "b-dog" / "1.jpeg", kFormat, flat(kFormat, {200, 200, 200}));
    write_png(root_ / "test" / "a-cat" / "x.png", kFormat, flat(kFormat, {40, 0, 0}));
    write_jpeg(root_ / "test" / "b-dog" / "x.jpg", kFormat, flat(kFormat, {0, 0, 0}));
  }
  DataSource open() const { return open_image_folder(root_); }
  void expect_refused(std::initializer_list<std::string> parts) const {
    expect_input_error([&] { open(); }, parts);
  }
  static Bytes read(const Dataset& dataset, std::int64_t index) {
    Bytes pixels(std::size_t{3} * 16 * 24);
    dataset.read(index, pixels);
    return pixels;
  }

  TemporaryFolder folder_;
  std::filesystem::path root_ = folder_.path() / "set";
  EnvironmentVariable cache_{"XDG_CACHE_HOME", (folder_.path() / "cache").string()};
};

TEST_F(ImageFolderTest, ClassesAndPicturesAreSorted) {
  const DataSource source = open();
  EXPECT_EQ(source.info.class_names, (std::vector<std::string>{"a-cat", "b-dog"}));
  EXPECT_EQ(source.info.classes, 2);
  EXPECT_EQ(source.info.channels, 3);
  EXPECT_EQ(source.info.height, 16);
  EXPECT_EQ(source.info.width, 24);
  EXPECT_EQ(source.info.crop_padding, 2);
  EXPECT_TRUE(source.info.flip);
  ASSERT_EQ(source.train->size(), 3);
  ASSERT_EQ(source.test->size(), 2);
  EXPECT_EQ(read(*source.train, 0).front(), 10);
  EXPECT_EQ(read(*source.train, 1).front(), 20);
  EXPECT_NEAR(read(*source.train, 2).front(), 200, 3);
  EXPECT_EQ(source.train->label(1), 0);
  EXPECT_EQ(source.train->label(2), 1);
  EXPECT_EQ(read(*source.test, 0).front(), 40);
}

TEST_F(ImageFolderTest, NormalisationIsThatOfTheTrainingPicturesAndFollowsThem) {
  const DataSource before = open();
  EXPECT_NEAR(before.info.mean.at(0), (10 + 20 + 200) / 3.0 / 255, 0.005);
  EXPECT_NEAR(before.info.mean.at(2), 200 / 3.0 / 255, 0.005);
  EXPECT_GT(before.info.stddev.at(0), 0.1F);
  EXPECT_EQ(open().info.mean, before.info.mean);
  write_png(root_ / "train" / "b-dog" / "2.png", kFormat, flat(kFormat, {200, 200, 200}));
  EXPECT_GT(open().info.mean.at(0), before.info.mean.at(0));
}

TEST_F(ImageFolderTest, ValIsTakenWhereThereIsNoTest) {
  std::filesystem::rename(root_ / "test", root_ / "val");
  EXPECT_EQ(open().test->size(), 2);
  std::filesystem::remove_all(root_ / "val");
  expect_refused({root_.string(), "test/", "val/"});
  std::filesystem::remove_all(root_ / "train");
  expect_refused({root_.string(), "train/"});
}

TEST_F(ImageFolderTest, GreyIfTheFirstPictureIs) {
  const PictureFormat grey{1, 16, 24};
  for (const char* name : {"train/a-cat/1.PNG", "train/a-cat/2.png", "train/b-dog/1.jpeg"}) {
    write_png(root_ / name, grey, flat(grey, {9}));
  }
  const DataSource source = open();
  EXPECT_EQ(source.info.channels, 1);
  EXPECT_EQ(source.info.mean.size(), 1U);
  Bytes pixels(std::size_t{16} * 24);
  expect_input_error([&] { source.test->read(0, pixels); }, {"x.png", "in colour"});
}

TEST_F(ImageFolderTest, RefusesMissingEmptyAndDifferentClassFolders) {
  std::filesystem::remove(root_ / "test" / "b-dog" / "x.jpg");
  expect_refused({(root_ / "test" / "b-dog").string(), "no pictures"});
  write_bytes(root_ / "test" / "b-dog" / "notes.txt", {'x'});
  write_bytes(root_ / "test" / "b-dog" / ".hidden.png", {'x'});
  expect_refused({(root_ / "test" / "b-dog").string(), "no pictures"});
  std::filesystem::remove_all(root_ / "test" / "b-dog");
  expect_refused({(root_ / "test").string(), "'b-dog'", "same class folders"});
  std::filesystem::remove_all(root_ / "train" / "a-cat");
  std::filesystem::remove_all(root_ / "train" / "b-dog");
  expect_refused({(root_ / "train").string(), "no class folders"});
}

TEST_F(ImageFolderTest, APictureOfAnotherSizeIsNamedWithBothSizes) {
  const PictureFormat other{3, 16, 20};
  write_png(root_ / "test" / "a-cat" / "x.png", other, flat(other, {1, 1, 1}));
  const DataSource source = open();
  expect_input_error([&] { read(*source.test, 0); }, {(root_ / "test" / "a-cat" / "x.png").string(), "16x20", "16x24"});
}

TEST_F(ImageFolderTest, ABrokenTrainingPictureShowsWhenTheNormalisationIsComputed) {
  const auto path = root_ / "train" / "b-dog" / "1.jpeg";
  Bytes bytes = read_bytes(path);
  bytes.erase(bytes.end() - 10, bytes.end());
  write_bytes(path, bytes);
  expect_refused({path.string()});
}

TEST_F(ImageFolderTest, TheLoaderReportsAPictureThatBreaksLater) {
  const DataSource source = open();
  const auto path = root_ / "train" / "a-cat" / "2.png";
  write_bytes(path, {'x'});
  TrainLoader loader(source.train, source.info, make_augmentation({}, source.info), {DataMode::replicated, 0, 1, 3}, 1,
                     0);
  expect_input_error([&] { loader.next(); }, {path.string()});
}

TEST_F(ImageFolderTest, CanBeReadFromSeveralThreads) {
  const DataSource source = open();
  const Bytes expected = read(*source.train, 2);
  std::vector<Bytes> got(4);
  std::vector<std::thread> threads;
  threads.reserve(got.size());
  for (Bytes& pixels : got) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        pixels = read(*source.train, 2);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const Bytes& pixels : got) {
    EXPECT_EQ(pixels, expected);
  }
}

}  // namespace
}  // namespace resist
