#include "resist/data/cifar.h"

#include "binary_files.h"
#include "expect_input_error.h"
#include "read_sample.h"
#include "resist/core/random.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

constexpr std::size_t kPictureBytes = 3072;

// Record i: labels (i % 10 and, with two label bytes, i % 100 after it), then a picture whose planes are i, i+1, i+2.
Bytes records(int count, int label_bytes, int first) {
  Bytes bytes;
  for (int i = first; i < first + count; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(i % 10));
    if (label_bytes == 2) {
      bytes.push_back(static_cast<std::uint8_t>(i % 100));
    }
    for (int plane = 0; plane < 3; ++plane) {
      bytes.insert(bytes.end(), kPictureBytes / 3, static_cast<std::uint8_t>(i + plane));
    }
  }
  return bytes;
}

class CifarTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int batch = 1; batch <= 5; ++batch) {
      write_bytes(batch_file(batch), records(2, 1, batch * 2));
    }
    write_bytes(folder_.path() / "test_batch.bin", records(3, 1, 40));
    write_bytes(folder_.path() / "train.bin", records(4, 2, 50));
    write_bytes(folder_.path() / "test.bin", records(2, 2, 97));
  }
  std::filesystem::path batch_file(int batch) const {
    return folder_.path() / ("data_batch_" + std::to_string(batch) + ".bin");
  }
  static DatasetInfo info(int classes) {
    DatasetInfo info;
    info.classes = classes;
    return info;
  }
  void expect_refused(std::initializer_list<std::string> parts) const {
    expect_input_error([&] { open_cifar10(info(10), folder_.path()); }, parts);
  }

  TemporaryFolder folder_;
};

TEST_F(CifarTest, ReadsTheBatchesOfCifar10InOrder) {
  const DataSource source = open_cifar10(info(10), folder_.path());
  EXPECT_EQ(source.info.channels, 3);
  EXPECT_EQ(source.info.height, 32);
  EXPECT_EQ(source.info.width, 32);
  ASSERT_EQ(source.train->size(), 10);
  ASSERT_EQ(source.test->size(), 3);
  Bytes pixels(kPictureBytes);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(source.train->label(i), (i + 2) % 10);
    read_sample(*source.train, i, Framing::whole(), pixels);
    EXPECT_EQ(pixels.front(), i + 2);
    EXPECT_EQ(pixels.back(), i + 4);
  }
}

TEST_F(CifarTest, TakesTheFineLabelOfCifar100) {
  const DataSource source = open_cifar100(info(100), folder_.path());
  ASSERT_EQ(source.train->size(), 4);
  EXPECT_EQ(source.train->label(3), 53);
  EXPECT_EQ(source.test->label(1), 98);
  EXPECT_TRUE(source.info.class_names.empty());
  Bytes pixels(kPictureBytes);
  read_sample(*source.test, 1, Framing::whole(), pixels);
  EXPECT_EQ(pixels.front(), 98);
  EXPECT_EQ(pixels.back(), 100);
}

TEST_F(CifarTest, TakesClassNamesOnlyIfThereIsOnePerClass) {
  std::string names;
  for (int i = 0; i < 100; ++i) {
    names += "name" + std::to_string(i) + "\n";
  }
  const auto path = folder_.path() / "fine_label_names.txt";
  write_bytes(path, Bytes(names.begin(), names.end()));
  EXPECT_EQ(open_cifar100(info(100), folder_.path()).info.class_names.at(99), "name99");
  names += "another\n";
  write_bytes(path, Bytes(names.begin(), names.end()));
  EXPECT_TRUE(open_cifar100(info(100), folder_.path()).info.class_names.empty());
}

TEST_F(CifarTest, RefusesAMissingBatch) {
  std::filesystem::remove(batch_file(4));
  expect_refused({batch_file(4).string(), "No such file"});
}

TEST_F(CifarTest, RefusesSizesThatAreNotWholeRecords) {
  for (const int size : {0, 1, 3072, 3074, 6145}) {
    Bytes bytes = records(3, 1, 0);
    bytes.resize(static_cast<std::size_t>(size));
    write_bytes(batch_file(2), bytes);
    expect_refused({batch_file(2).string(), "has " + std::to_string(size) + " bytes", "records of 3073 bytes"});
  }
}

TEST_F(CifarTest, RefusesATooLargeFileWithoutReadingIt) {
  std::filesystem::resize_file(batch_file(1), std::uintmax_t{3073} * 1'000'001);  // sparse
  expect_refused({batch_file(1).string(), "3073003073 bytes"});
}

TEST_F(CifarTest, RefusesLabelsOutOfRange) {
  Bytes bytes = records(2, 1, 0);
  bytes[3073] = 10;
  write_bytes(batch_file(3), bytes);
  expect_refused({batch_file(3).string(), "label 10 in record 1", "0 to 9"});
  Bytes fine = records(2, 2, 0);
  fine[1] = 100;
  write_bytes(folder_.path() / "train.bin", fine);
  expect_input_error([&] { open_cifar100(info(100), folder_.path()); },
                     {"train.bin", "label 100 in record 0", "0 to 99"});
}

TEST_F(CifarTest, SurvivesMutatedFiles) {
  RandomStream random(12, RandomPurpose::synthetic_data, {});
  int refused = 0;
  int opened = 0;
  for (int round = 0; round < 200; ++round) {
    Bytes bytes = records(2, 1, 0);
    bytes[random.below(2) * 3073] = static_cast<std::uint8_t>(random.below(14));
    bytes[random.below(static_cast<std::uint32_t>(bytes.size()))] ^= static_cast<std::uint8_t>(random.next());
    if (random.below(2) == 0) {
      bytes.resize(random.below(3) * 3073 + random.below(2));
    }
    write_bytes(batch_file(1), bytes);
    try {
      const DataSource source = open_cifar10(info(10), folder_.path());
      Bytes pixels(kPictureBytes);
      read_sample(*source.train, source.train->size() - 1, Framing::whole(), pixels);
      EXPECT_LT(source.train->label(0), 10);
      ++opened;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find("data_batch_1.bin"), std::string::npos) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 20);
  EXPECT_GT(opened, 20);
}

}  // namespace
}  // namespace resist
