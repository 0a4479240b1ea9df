#include "resist/data/packed_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <fstream>

#include "binary_files.h"
#include "packed_samples.h"
#include "resist/core/hash.h"
#include "support/input_error.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

constexpr PictureFormat kInput{3, 4, 5};

class PackedFileTest : public testing::Test {
 protected:
  void SetUp() override {
    write_samples(path_);
    good_ = read_bytes(path_);
    preamble_ = parse_packed_preamble({reinterpret_cast<const char*>(good_.data()), 64}, good_.size(), "f");
  }
  void write(const Bytes& bytes) const {
    std::filesystem::remove(path_);  // some filesystems flush a file that is emptied and written anew, which is slow
    write_bytes(path_, bytes);
  }
  // What opening a file of these bytes complains about.
  std::string refusal(const Bytes& bytes) const {
    write(bytes);
    return input_error([&] { open_packed_file(path_); });
  }
  // With the checksum that belongs to them.
  Bytes sealed(Bytes bytes) const {
    PackedPreamble preamble = preamble_;
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    preamble.checksum = hash_64(text.substr(preamble.index_offset));
    const std::string start = format_packed_preamble(preamble);
    std::ranges::copy(start, bytes.begin());
    return bytes;
  }
  // What is asked of it: every sample, with label and name, is what was written.
  static void expect_all(const PackedFile& file) {
    ASSERT_EQ(file.size(), 15);
    for (int sample = 0; sample < 15; ++sample) {
      EXPECT_EQ(file.label(sample), static_cast<std::uint32_t>(sample % 3));
      EXPECT_EQ(file.name(sample), "picture " + std::to_string(sample));
      EXPECT_EQ(file.stored(sample), sample_pixels(sample));
    }
  }

  const TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "set.packed";
  Bytes good_;
  PackedPreamble preamble_;
};

TEST_F(PackedFileTest, GivesWhatWasWritten) {
  const auto file = open_packed_file(path_);
  expect_all(*file);
  EXPECT_EQ(file->bytes(), static_cast<std::int64_t>(good_.size()));
  EXPECT_EQ(file->header().classes, sample_header().classes);
  EXPECT_THROW(file->stored(15), Error);
  EXPECT_THROW(file->label(-1), Error);
}

TEST_F(PackedFileTest, GivesPixelsAsFramed) {
  const auto file = open_packed_file(path_);
  Bytes pixels(60);
  const auto view = file->read(2, Framing::whole(), kInput, pixels);
  EXPECT_EQ(std::string(view.begin(), view.end()), sample_pixels(2));
  EXPECT_NE(view.data(), pixels.data()) << "pixels that need no work are not copied";
  Bytes resampled(3);
  file->read(2, Framing::centre(), {.channels = 3, .height = 1, .width = 1}, resampled);
  EXPECT_NEAR(resampled[0], 2 + 9.5, 1);
  EXPECT_NEAR(resampled[2], 2 + 40 + 9.5, 1);
  EXPECT_TRUE(
      contains(input_error([&] { file->read(2, Framing::whole(), {.channels = 3, .height = 5, .width = 4}, pixels); }),
               "\"picture 2\""));
}

TEST_F(PackedFileTest, GivesGreyPixelsToEveryChannel) {
  PackedHeader header = sample_header();
  header.format = {.channels = 1, .height = 6, .width = 10};
  header.mean = header.stddev = {0.5F};
  write_samples(path_, header);
  Bytes pixels(180);
  open_packed_file(path_)->read(4, Framing::whole(), {.channels = 3, .height = 6, .width = 10}, pixels);
  EXPECT_EQ(std::string(pixels.begin(), pixels.end()), sample_pixels(4) + sample_pixels(4) + sample_pixels(4));
}

TEST_F(PackedFileTest, EveryCutIsRefused) {
  for (std::size_t length = 0; length < good_.size(); length += length < 70 || length + 400 > good_.size() ? 1 : 97) {
    EXPECT_TRUE(contains(refusal(Bytes(good_.begin(), good_.begin() + static_cast<std::ptrdiff_t>(length))),
                         "'" + path_.string() + "'"))
        << length;
  }
}

TEST_F(PackedFileTest, WhatHasGrownIsRefused) {
  Bytes bytes = good_;
  bytes.push_back(0);
  EXPECT_TRUE(contains(refusal(bytes), "were written"));
}

TEST_F(PackedFileTest, EveryChangedByteIsNoticed) {
  for (std::size_t place = 0; place < good_.size(); ++place) {
    Bytes bytes = good_;
    bytes[place] ^= 1;
    write(bytes);
    if (place < kPackedPreambleBytes || place >= preamble_.index_offset) {
      EXPECT_THROW(open_packed_file(path_), InputError) << place;
      continue;
    }
    const auto file = open_packed_file(path_);
    const auto changed = static_cast<std::int64_t>(place - kPackedPreambleBytes) / 60;
    for (std::int64_t sample = 0; sample < file->size(); ++sample) {
      Bytes pixels(60);
      if (sample != changed) {
        EXPECT_NO_THROW(file->read(sample, Framing::whole(), kInput, pixels)) << place;
        continue;
      }
      const std::string message = input_error([&] { file->read(sample, Framing::whole(), kInput, pixels); });
      EXPECT_TRUE(contains(message, "\"picture " + std::to_string(sample) + "\""));
      EXPECT_TRUE(contains(message, "checksum"));
      EXPECT_TRUE(contains(message, path_.string()));
    }
  }
}

// Whoever can compute the checksum can write anything: what is wrong must show all the same, and never end in more than
// an InputError.
TEST_F(PackedFileTest, ASealedLieIsRefusedOrHarmless) {
  ASSERT_EQ(sealed(good_), good_);
  int refused = 0;
  for (std::size_t place = preamble_.index_offset; place < good_.size(); ++place) {
    for (const int flip : {1, 0x80}) {
      Bytes bytes = good_;
      bytes[place] ^= static_cast<std::uint8_t>(flip);
      write(sealed(bytes));
      try {
        const auto file = open_packed_file(path_);
        for (std::int64_t sample = 0; sample < file->size(); ++sample) {
          EXPECT_LT(file->label(sample), file->header().classes.size());
          EXPECT_LE(file->name(sample).size(), preamble_.names_bytes());
          file->stored(sample);
        }
      } catch (const InputError&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 0);
}

TEST_F(PackedFileTest, NoticesThatItIsCutShortWhileItIsOpen) {
  const auto file = open_packed_file(path_);
  std::filesystem::resize_file(path_, 10);
  Bytes pixels(60);
  EXPECT_TRUE(contains(input_error([&] { file->label(0); }), "has become shorter"));
  EXPECT_TRUE(contains(input_error([&] { file->name(0); }), "has become shorter"));
  EXPECT_TRUE(contains(input_error([&] { file->read(0, Framing::whole(), kInput, pixels); }), "has become shorter"));
}

TEST_F(PackedFileTest, NoticesThatItsIndexIsChangedWhileItIsOpen) {
  const auto file = open_packed_file(path_);
  std::fstream stream(path_, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekp(static_cast<std::streamoff>(preamble_.index_offset + 2 * kPackedEntryBytes));
  stream << std::string(kPackedEntryBytes, '\xff') << std::flush;
  ASSERT_TRUE(stream.good());
  EXPECT_EQ(file->label(1), 1U);
  EXPECT_TRUE(contains(input_error([&] { file->label(2); }), "has been changed since it was opened: sample 2"));
  EXPECT_TRUE(contains(input_error([&] { file->stored(2); }), "has been changed since it was opened: sample 2"));
}

TEST_F(PackedFileTest, RefusesWhatIsNotOne) {
  EXPECT_TRUE(contains(refusal({}), "does not start with RESISTPK"));
  EXPECT_TRUE(contains(refusal(Bytes(10'000, 'x')), "does not start with RESISTPK"));
  EXPECT_TRUE(contains(input_error([&] { open_packed_file(folder_.path()); }), "not a regular file"));
  EXPECT_TRUE(contains(input_error([&] { open_packed_file(folder_.path() / "gone"); }), "No such file"));
}

}  // namespace
}  // namespace resist
