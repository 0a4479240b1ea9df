#include "resist/data/image_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "binary_files.h"
#include "environment_variable.h"
#include "expect_input_error.h"
#include "picture_files.h"
#include "read_sample.h"
#include "resist/data/augment.h"
#include "resist/data/loader.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

constexpr PictureFormat kFormat{3, 16, 24};

Bytes text_bytes(const std::string& text) {
  return {text.begin(), text.end()};
}

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
  DataSource open(int image_size = 0, int skip_corrupt = 0) const {
    return open_image_folder(root_, image_size, skip_corrupt);
  }
  void expect_refused(std::initializer_list<std::string> parts) const {
    expect_input_error([&] { open(); }, parts);
  }
  static Bytes read(const Dataset& dataset, std::int64_t index) {
    Bytes pixels(std::size_t{3} * 16 * 24);
    EXPECT_TRUE(read_sample(dataset, index, Framing::whole(), pixels));
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
  EXPECT_FALSE(source.info.own_sizes);
  EXPECT_TRUE(source.info.decodes);
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

TEST_F(ImageFolderTest, GreyIfAllTrainingPicturesAre) {
  const PictureFormat grey{1, 16, 24};
  EXPECT_EQ(open().info.channels, 3);
  for (const char* name : {"train/a-cat/1.PNG", "train/a-cat/2.png", "train/b-dog/1.jpeg"}) {
    write_png(root_ / name, grey, flat(grey, {9}));
  }
  expect_refused({(root_ / "test").string(), "in colour"});
  for (const char* name : {"test/a-cat/x.png", "test/b-dog/x.jpg"}) {
    write_png(root_ / name, grey, flat(grey, {9}));
  }
  const DataSource source = open();
  EXPECT_EQ(source.info.channels, 1);
  EXPECT_EQ(source.info.mean.size(), 1U);
}

TEST_F(ImageFolderTest, RefusesEmptyAndUnknownClassFolders) {
  std::filesystem::remove(root_ / "test" / "b-dog" / "x.jpg");
  EXPECT_EQ(open().test->size(), 1) << "a test set may lack a class";
  std::filesystem::create_directory(root_ / "test" / "c-eel");
  expect_refused({(root_ / "test").string(), "'c-eel'"});
  std::filesystem::remove(root_ / "train" / "b-dog" / "1.jpeg");
  expect_refused({(root_ / "train" / "b-dog").string(), "no pictures"});
  std::filesystem::remove_all(root_ / "train" / "a-cat");
  std::filesystem::remove_all(root_ / "train" / "b-dog");
  expect_refused({(root_ / "train").string(), "no class folders"});
}

TEST_F(ImageFolderTest, ListsTakeThePlaceOfClassFolders) {
  std::filesystem::rename(root_ / "test", root_ / "val");
  write_bytes(root_ / "train.txt", text_bytes("b-dog/1.jpeg dog\na-cat/2.png cat\n"));
  write_bytes(root_ / "val" / "list.txt", text_bytes("b-dog/x.jpg dog\n"));
  const DataSource source = open();
  EXPECT_EQ(source.info.class_names, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(source.train->size(), 2);
  EXPECT_EQ(source.train->label(0), 1);
  EXPECT_EQ(read(*source.train, 1).front(), 20);
  EXPECT_EQ(source.test->label(0), 1);
}

TEST_F(ImageFolderTest, APictureOfAnotherSizeIsRefusedWithBothSizes) {
  const PictureFormat other{3, 16, 20};
  write_png(root_ / "test" / "a-cat" / "x.png", other, flat(other, {1, 1, 1}));
  expect_refused({(root_ / "test").string(), "16x20", "16x24", "--image-size"});
}

TEST_F(ImageFolderTest, APictureThatHasAnotherSizeLaterIsNamed) {
  const DataSource source = open();
  const PictureFormat other{3, 16, 20};
  write_png(root_ / "train" / "a-cat" / "2.png", other, flat(other, {1, 1, 1}));
  expect_input_error([&] { read(*source.train, 1); },
                     {(root_ / "train" / "a-cat" / "2.png").string(), "16x20", "16x24", "--image-size"});
}

TEST_F(ImageFolderTest, PicturesOfDifferentSizesAreCutAndResampled) {
  const PictureFormat other{3, 40, 30};
  write_png(root_ / "train" / "a-cat" / "2.png", other, flat(other, {20, 0, 0}));
  const DataSource source = open(8);
  EXPECT_TRUE(source.info.own_sizes);
  EXPECT_EQ(source.info.input_size(), (PictureSize{8, 8}));
  EXPECT_EQ(make_augmentation({}, source.info).crop_area, 0.08);
  Bytes pixels(std::size_t{3} * 64);
  EXPECT_TRUE(read_sample(*source.train, 1, source.info.evaluation_framing(), pixels));
  EXPECT_EQ(pixels.front(), 20);
  EXPECT_NEAR(source.info.mean.at(0), (10 + 20 + 200) / 3.0 / 255, 0.005);
  EXPECT_EQ(open().info.input_size(), (PictureSize{224, 224}));
}

TEST_F(ImageFolderTest, TheNormalisationFollowsTheInput) {
  // Black but for a bright border, which evaluation cuts off where pictures are resampled.
  Bytes framed = flat(kFormat, {0, 0, 0});
  std::fill_n(framed.begin(), 3 * 24, std::uint8_t{255});
  for (const char* name : {"train/a-cat/1.PNG", "train/a-cat/2.png", "train/b-dog/1.jpeg"}) {
    write_png(root_ / name, kFormat, framed);
  }
  EXPECT_NEAR(open().info.mean.at(0), 1 / 16.0, 0.001);
  EXPECT_NEAR(open(8).info.mean.at(0), 0, 0.001);
}

TEST_F(ImageFolderTest, ABrokenTrainingPictureShowsWhenTheNormalisationIsComputed) {
  const auto path = root_ / "train" / "b-dog" / "1.jpeg";
  Bytes bytes = read_bytes(path);
  bytes.erase(bytes.end() - 10, bytes.end());
  write_bytes(path, bytes);
  expect_refused({path.string()});
}

TEST_F(ImageFolderTest, DamagedPicturesAreLeftOutUpToTheLimit) {
  write_bytes(root_ / "train" / "a-cat" / "2.png", {'x'});
  write_bytes(root_ / "test" / "b-dog" / "x.jpg", {'x'});
  expect_refused({(root_ / "train" / "a-cat" / "2.png").string(), "neither JPEG nor PNG"});
  const DataSource source = open(0, 2);
  Bytes pixels(std::size_t{3} * 16 * 24);
  EXPECT_FALSE(read_sample(*source.train, 1, Framing::whole(), pixels));
  EXPECT_FALSE(read_sample(*source.test, 1, Framing::whole(), pixels));
  EXPECT_TRUE(read_sample(*source.train, 0, Framing::whole(), pixels));
  EXPECT_NEAR(source.info.mean.at(0), (10 + 200) / 2.0 / 255, 0.005);
  std::filesystem::remove(root_ / "train" / "a-cat" / "1.PNG");
  expect_input_error([&] { read_sample(*source.train, 0, Framing::whole(), pixels); },
                     {"1.PNG", "no such file", "number 3 of '" + root_.string() + "'", "--skip-corrupt is 2"});
}

TEST_F(ImageFolderTest, TheLoaderReplacesDamagedPicturesAndEvaluationLacksThem) {
  write_bytes(root_ / "train" / "a-cat" / "2.png", {'x'});
  write_bytes(root_ / "test" / "b-dog" / "x.jpg", {'x'});
  const DataSource source = open(0, 2);
  TrainLoader loader(source.train, source.info, {}, {DataMode::replicated, 0, 1, 3}, 1, {}, 2);
  const std::vector<std::int64_t> labels = loader.next().labels;
  EXPECT_EQ(std::count(labels.begin(), labels.end(), 1), 2) << "its place is taken by the next picture, a dog's";
  Batch batch;
  EvaluationBatches(source.test, source.info, 10).read(0, batch, 2);
  EXPECT_EQ(batch.labels, std::vector<std::int64_t>{0});
}

TEST_F(ImageFolderTest, AFolderIsAFurtherTestSet) {
  const DataSource source = open();
  const TestSet set = open_folder_test(root_ / "train", source.info, 0);
  EXPECT_EQ(set.dataset->size(), 3);
  EXPECT_EQ(set.dataset->label(2), 1);
  EXPECT_EQ(read(*set.dataset, 0).front(), 10);
  const TestSet part = open_folder_test(root_, source.info, 0);
  EXPECT_EQ(part.dataset->size(), 2) << "its test/ is meant";
}

TEST_F(ImageFolderTest, AClassNamedTestIsNoTestPart) {
  for (const char* part : {"train", "test"}) {
    std::filesystem::rename(root_ / part / "b-dog", root_ / part / "test");
  }
  const DataSource source = open();
  EXPECT_EQ(source.info.class_names.at(1), "test");
  EXPECT_EQ(open_folder_test(root_ / "train", source.info, 0).dataset->size(), 3);
}

TEST_F(ImageFolderTest, AFurtherTestSetMustFitTheNetwork) {
  DatasetInfo info = open().info;
  info.channels = 1;
  expect_input_error([&] { open_folder_test(root_ / "train", info, 0); }, {(root_ / "train").string(), "in colour"});
  info.channels = 3;
  info.width = 16;
  expect_input_error([&] { open_folder_test(root_ / "train", info, 0); }, {"16x24", "16x16"});
  info.own_sizes = true;
  EXPECT_EQ(open_folder_test(root_ / "train", info, 0).dataset->size(), 3);
  info.class_names = {"a-cat", "eel"};
  expect_input_error([&] { open_folder_test(root_ / "train", info, 0); }, {"the class 'b-dog'", "'a-cat'"});
}

TEST_F(ImageFolderTest, TheLoaderReportsAPictureThatBreaksLater) {
  const DataSource source = open();
  const auto path = root_ / "train" / "a-cat" / "2.png";
  write_bytes(path, {'x'});
  TrainLoader loader(source.train, source.info, make_augmentation({}, source.info), {DataMode::replicated, 0, 1, 3}, 1,
                     {});
  expect_input_error([&] { loader.next(); }, {path.string(), "--skip-corrupt"});
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
