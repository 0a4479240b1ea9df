#include "resist/data/packed.h"

#include <gtest/gtest.h>

#include <sstream>
#include <thread>

#include "binary_files.h"
#include "counting_dataset.h"
#include "expect_input_error.h"
#include "packed_samples.h"
#include "picture_folder.h"
#include "read_sample.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

constexpr PictureFormat kSmall{3, 16, 24};

class PackedTest : public testing::Test {
 protected:
  void pack(PackStorage storage, const fs::path& source) {
    std::ostringstream progress;
    fs::remove(packed_);
    pack_data({.source = source, .destination = packed_, .storage = storage}, progress);
  }
  // What a network was trained on.
  static DatasetInfo training_info(int channels, int height, int width, std::vector<std::string> classes) {
    DatasetInfo info = plain_info(channels, height, width);
    info.classes = static_cast<int>(classes.size());
    info.class_names = std::move(classes);
    return info;
  }
  // Changes a byte in the middle of what is stored of train/cat/2.png.
  void damage_a_sample() const {
    Bytes bytes = read_bytes(packed_);
    const auto file = open_packed_file(packed_);
    const std::string sample(file->stored(1));
    const std::string text(bytes.begin(), bytes.end());
    bytes[text.find(sample) + sample.size() / 2] ^= 1;
    write_bytes(packed_, bytes);
  }

  const TemporaryFolder folder_;
  const fs::path source_ = folder_.path() / "things";
  const fs::path packed_ = folder_.path() / "things.packed";
};

TEST_F(PackedTest, IsToldByItsFirstBytes) {
  write_picture_folder(source_, kSmall);
  pack(PackStorage::pixels, source_);
  EXPECT_TRUE(is_packed(packed_));
  write_bytes(folder_.path() / "short", {'R', 'E', 'S'});
  EXPECT_FALSE(is_packed(folder_.path() / "short"));
  EXPECT_FALSE(is_packed(source_ / "train/cat/1.png"));
  EXPECT_FALSE(is_packed(source_));
  EXPECT_FALSE(is_packed(folder_.path() / "gone"));
}

TEST_F(PackedTest, PixelsAreTheInputUnlessAnotherSizeIsAskedFor) {
  write_picture_folder(source_, {3, 16, 16});
  pack(PackStorage::pixels, source_);
  for (const int image_size : {0, 16}) {
    const DatasetInfo info = open_packed(packed_, image_size, 0).info;
    EXPECT_EQ(info.input_size(), (PictureSize{16, 16}));
    EXPECT_FALSE(info.own_sizes);
    EXPECT_EQ(info.crop_padding, 2);
    EXPECT_TRUE(info.flip);
  }
  const DataSource source = open_packed(packed_, 8, 0);
  EXPECT_EQ(source.info.input_size(), (PictureSize{8, 8}));
  EXPECT_TRUE(source.info.own_sizes);
  Bytes pixels(std::size_t{3} * 8 * 8);
  Bytes expected(pixels.size());
  EXPECT_TRUE(read_sample(*source.train, 0, Framing::centre(), pixels));
  read_picture(read_picture_file(source_ / "train/cat/1.png"), Framing::centre(), {3, 8, 8}, expected);
  EXPECT_EQ(pixels, expected);
}

TEST_F(PackedTest, LargePixelsAreTheInputToo) {
  write_picture_folder(source_, {3, 128, 128});
  pack(PackStorage::pixels, source_);
  EXPECT_EQ(open_packed(packed_, 0, 0).info.input_size(), (PictureSize{128, 128}));
  EXPECT_FALSE(open_packed(packed_, 0, 0).info.own_sizes);
}

TEST_F(PackedTest, FilesOfDifferentSizesAreCutToTheInput) {
  write_picture_folder(source_, kSmall);
  write_picture(source_ / "train/dog/3.png", {3, 20, 20}, 9);
  pack(PackStorage::files, source_);
  EXPECT_EQ(open_packed(packed_, 0, 0).info.input_size(), (PictureSize{224, 224}));
  EXPECT_EQ(open_packed(packed_, 32, 0).info.input_size(), (PictureSize{32, 32}));
  EXPECT_TRUE(open_packed(packed_, 32, 0).info.own_sizes);
}

TEST_F(PackedTest, TrainingNeedsBothParts) {
  write_picture_folder(source_, kSmall);
  pack(PackStorage::pixels, source_ / "test");
  expect_input_error([&] { open_packed(packed_, 0, 0); }, {packed_.string(), "\"all\"", "--eval"});
}

TEST_F(PackedTest, AnUnknownPartIsNoTestSet) {
  PackedHeader header = sample_header();
  header.parts = {{"train", 10}, {"more", 5}};
  write_samples(packed_, header);
  expect_input_error([&] { open_packed_test(packed_, training_info(3, 4, 5, header.classes), 0); },
                     {packed_.string(), "\"train\", \"more\"", "test or val"});
  expect_input_error([&] { open_packed(packed_, 0, 0); }, {packed_.string(), "train and test are needed"});
}

TEST_F(PackedTest, TheTestPartIsTestValOrTheOnlyOne) {
  for (const char* name : {"test", "val"}) {
    PackedHeader header = sample_header();
    header.parts.back().first = name;
    write_samples(packed_, header);
    const TestSet set = open_packed_test(packed_, training_info(3, 4, 5, header.classes), 0);
    ASSERT_EQ(set.dataset->size(), 3);
    Bytes pixels(60);
    EXPECT_TRUE(read_sample(*set.dataset, 1, Framing::whole(), pixels));
    EXPECT_EQ(std::string(pixels.begin(), pixels.end()), sample_pixels(13));
    EXPECT_EQ(open_packed(packed_, 0, 0).test->size(), 3);
  }
  PackedHeader header = sample_header();
  header.parts = {{"all", 7}};
  write_samples(packed_, header);
  EXPECT_EQ(open_packed_test(packed_, training_info(3, 4, 5, header.classes), 0).dataset->size(), 7);
}

TEST_F(PackedTest, ClassesAreMatchedByNameOrNumber) {
  PackedHeader header = sample_header();
  header.classes = {"dog", "cat", "cow"};
  write_samples(packed_, header);
  const auto labels = [&] {
    const TestSet set = open_packed_test(packed_, training_info(3, 4, 5, {"ape", "cat", "cow", "dog"}), 0);
    return std::vector<std::int64_t>{set.dataset->label(0), set.dataset->label(1), set.dataset->label(2)};
  };
  EXPECT_EQ(labels(), (std::vector<std::int64_t>{3, 1, 2})) << "samples 12, 13, 14 are of the classes 0, 1, 2";
  header.classes = {"2", "0", "3"};
  write_samples(packed_, header);
  EXPECT_EQ(labels(), (std::vector<std::int64_t>{2, 0, 3}));
  header.classes = {"2", "0", "4"};
  write_samples(packed_, header);
  expect_input_error([&] { labels(); }, {packed_.string(), "'4'"});
}

TEST_F(PackedTest, ATestSetMustBeWhatTheNetworkTakes) {
  write_samples(packed_);
  const std::vector<std::string> classes = sample_header().classes;
  expect_input_error([&] { open_packed_test(packed_, training_info(1, 4, 5, classes), 0); },
                     {packed_.string(), "in colour"});
  expect_input_error([&] { open_packed_test(packed_, training_info(3, 5, 4, classes), 0); },
                     {packed_.string(), "4x5", "5x4"});
  DatasetInfo resampling = training_info(3, 2, 2, classes);
  resampling.own_sizes = true;
  Bytes pixels(12);
  EXPECT_TRUE(read_sample(*open_packed_test(packed_, resampling, 0).dataset, 0, Framing::centre(), pixels));
  write_picture_folder(source_, kSmall);
  write_picture(source_ / "train/dog/3.png", {3, 20, 20}, 9);
  pack(PackStorage::files, source_);
  expect_input_error(
      [&] {
        open_packed_test(packed_, training_info(3, 16, 24, {"cat", "dog"}), 0);
      },
      {packed_.string(), "different sizes", "16x24"});
}

TEST_F(PackedTest, ADamagedSampleIsNamedOrLeftOut) {
  write_picture_folder(source_, kSmall);
  for (const PackStorage storage : {PackStorage::pixels, PackStorage::files}) {
    pack(storage, source_);
    damage_a_sample();
    Bytes pixels(std::size_t{3} * 16 * 24);
    const DataSource strict = open_packed(packed_, 0, 0);
    EXPECT_TRUE(read_sample(*strict.train, 0, Framing::whole(), pixels));
    expect_input_error([&] { read_sample(*strict.train, 1, Framing::whole(), pixels); },
                       {"train/cat/2.png", packed_.string(), "checksum", "--skip-corrupt"});
    const DataSource lenient = open_packed(packed_, 0, 1);
    EXPECT_FALSE(read_sample(*lenient.train, 1, Framing::whole(), pixels));
    EXPECT_TRUE(read_sample(*lenient.train, 2, Framing::whole(), pixels));
  }
}

TEST_F(PackedTest, VerifyingNamesTheDamagedSamples) {
  write_picture_folder(source_, kSmall);
  for (const PackStorage storage : {PackStorage::pixels, PackStorage::files}) {
    pack(storage, source_);
    EXPECT_EQ(verify_packed(packed_, 10), std::vector<std::string>{});
    damage_a_sample();
    EXPECT_EQ(verify_packed(packed_, 10), std::vector<std::string>{"train/cat/2.png"});
  }
}

TEST_F(PackedTest, VerifyingDecodesPictureFiles) {
  write_picture_folder(source_, kSmall);
  for (const char* name : {"test/cat/1.png", "test/dog/2.png"}) {
    Bytes bytes = read_bytes(source_ / name);
    bytes.erase(bytes.end() - 20, bytes.end());
    write_bytes(source_ / name, bytes);
  }
  pack(PackStorage::files, source_);
  EXPECT_EQ(verify_packed(packed_, 10), (std::vector<std::string>{"test/cat/1.png", "test/dog/2.png"}));
  EXPECT_EQ(verify_packed(packed_, 1), std::vector<std::string>{"test/cat/1.png"});
}

TEST_F(PackedTest, CanBeReadFromSeveralThreads) {
  write_picture_folder(source_, kSmall);
  pack(PackStorage::files, source_);
  const DataSource source = open_packed(packed_, 0, 0);
  Bytes expected(std::size_t{3} * 16 * 24);
  read_sample(*source.train, 2, Framing::whole(), expected);
  std::vector<Bytes> got(4, Bytes(expected.size()));
  std::vector<std::thread> threads;
  threads.reserve(got.size());
  for (Bytes& pixels : got) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        read_sample(*source.train, 2, Framing::whole(), pixels);
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
