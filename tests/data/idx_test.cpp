#include "resist/data/idx.h"

#include "binary_files.h"
#include "expect_input_error.h"
#include "read_sample.h"
#include "resist/core/random.h"
#include "resist/data/known_sets.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

class IdxTest : public testing::Test {
 protected:
  void SetUp() override { write_idx_set(folder_.path()); }
  DataSource open() const { return open_idx(known_sets().front().info, folder_.path()); }
  void expect_refused(std::initializer_list<std::string> parts) const {
    expect_input_error([&] { open(); }, parts);
  }

  TemporaryFolder folder_;
  std::filesystem::path images_ = folder_.path() / "train-images-idx3-ubyte";
  std::filesystem::path labels_ = folder_.path() / "train-labels-idx1-ubyte";
};

TEST_F(IdxTest, ReadsPicturesAndLabels) {
  const DataSource source = open();
  EXPECT_EQ(source.info.channels, 1);
  EXPECT_EQ(source.info.height, 3);
  EXPECT_EQ(source.info.width, 4);
  EXPECT_EQ(source.info.classes, 10);
  ASSERT_EQ(source.train->size(), 12);
  ASSERT_EQ(source.test->size(), 5);
  EXPECT_EQ(source.train->label(8), 9);
  EXPECT_EQ(source.train->label(9), 0);
  EXPECT_EQ(source.test->label(4), 5);
  Bytes pixels(12);
  read_sample(*source.train, 7, Framing::whole(), pixels);
  EXPECT_EQ(pixels.front(), 7 * 12);
  EXPECT_EQ(pixels.back(), 7 * 12 + 11);
  EXPECT_THROW(read_sample(*source.train, 12, Framing::whole(), pixels), Error);
  EXPECT_THROW(read_sample(*source.train, -1, Framing::whole(), pixels), Error);
}

TEST_F(IdxTest, RefusesAMissingFile) {
  std::filesystem::remove(labels_);
  expect_refused({folder_.path().string(), "train-labels-idx1-ubyte.gz"});
}

TEST_F(IdxTest, RefusesAWrongMagicNumber) {
  Bytes bytes = idx_images(12, 3, 4);
  bytes[3] = 1;
  write_bytes(images_, bytes);
  expect_refused({images_.string(), "0x00000801", "0x00000803"});
}

TEST_F(IdxTest, RefusesACutHeader) {
  for (const std::size_t size : {0, 3, 7, 15}) {
    Bytes bytes = idx_images(12, 3, 4);
    bytes.resize(size);
    write_bytes(images_, bytes);
    expect_refused({images_.string(), "cut short"});
  }
}

TEST_F(IdxTest, RefusesACountThatDoesNotMatchTheFile) {
  Bytes bytes = idx_images(12, 3, 4);
  bytes.pop_back();
  write_bytes(images_, bytes);
  expect_refused({images_.string(), "has 159 bytes", "promises 160"});

  bytes = idx_images(12, 3, 4);
  bytes[6] = 0x10;  // 4096 pictures more
  write_bytes(images_, bytes);
  expect_refused({images_.string(), "has 160 bytes"});
}

TEST_F(IdxTest, RefusesHugeAndEmptySizes) {
  for (const std::size_t dimension : {4, 8, 12}) {
    Bytes huge = idx_images(12, 3, 4);
    std::fill_n(huge.begin() + static_cast<std::ptrdiff_t>(dimension), 4, 0xFF);
    write_bytes(images_, huge);
    expect_refused({images_.string(), "claims 4294967295", "1 to "});
    Bytes empty = idx_images(12, 3, 4);
    std::fill_n(empty.begin() + static_cast<std::ptrdiff_t>(dimension), 4, 0);
    write_bytes(images_, empty);
    expect_refused({images_.string(), "claims 0", "1 to "});
  }
  Bytes product;
  for (const std::uint32_t value : {0x803U, 9'000'000U, 1024U, 1024U}) {
    append_big_endian(product, value);
  }
  write_bytes(images_, product);
  expect_refused({images_.string(), "9437184000000 bytes"});
}

TEST_F(IdxTest, RefusesLabelsOutOfRangeOrOfAnotherCount) {
  Bytes bytes = idx_labels(12);
  bytes[8 + 5] = 10;
  write_bytes(labels_, bytes);
  expect_refused({labels_.string(), "label 10 at sample 5", "0 to 9"});
  write_bytes(labels_, idx_labels(11));
  expect_refused({labels_.string(), "11 labels", images_.string(), "12 pictures"});
}

TEST_F(IdxTest, RefusesATestSetOfAnotherSize) {
  write_gzip(folder_.path() / "t10k-images-idx3-ubyte.gz", idx_images(5, 4, 3));
  expect_refused({"t10k-images-idx3-ubyte.gz", "4x3", images_.string(), "3x4"});
}

// Whatever the bytes are, the answer is a data set that can be read or an InputError.
TEST_F(IdxTest, SurvivesMutatedFiles) {
  RandomStream random(11, RandomPurpose::synthetic_data, {});
  int refused = 0;
  int opened = 0;
  for (int round = 0; round < 400; ++round) {
    write_idx_set(folder_.path());
    const bool images = random.below(2) == 0;
    const bool zipped = random.below(2) == 0;
    const auto path = folder_.path() / (zipped ? (images ? "t10k-images-idx3-ubyte.gz" : "t10k-labels-idx1-ubyte.gz")
                                               : (images ? "train-images-idx3-ubyte" : "train-labels-idx1-ubyte"));
    Bytes bytes = read_bytes(path);
    for (std::uint32_t change = 0; change <= random.below(3); ++change) {
      // Mostly in the header, where it matters.
      const auto size = static_cast<std::uint32_t>(bytes.size());
      bytes[random.below(random.below(3) > 0 ? std::min(size, 20U) : size)] ^= static_cast<std::uint8_t>(random.next());
    }
    if (random.below(4) == 0) {
      bytes.resize(random.below(static_cast<std::uint32_t>(bytes.size()) + 8));
    }
    write_bytes(path, bytes);
    try {
      const DataSource source = open();
      Bytes pixels(static_cast<std::size_t>(source.info.height * source.info.width));
      read_sample(*source.test, source.test->size() - 1, Framing::whole(), pixels);
      read_sample(*source.train, source.train->size() - 1, Framing::whole(), pixels);
      EXPECT_LT(source.train->label(0), 10);
      ++opened;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(folder_.path().string()), std::string::npos) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_GT(opened, 5);
}

}  // namespace
}  // namespace resist
