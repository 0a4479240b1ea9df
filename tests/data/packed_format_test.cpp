#include "resist/data/packed_format.h"

#include <gtest/gtest.h>

#include <limits>

#include "packed_samples.h"
#include "support/input_error.h"

namespace resist {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

// Of a file of 15 samples of 60 bytes, 150 bytes of names and a header of 300.
PackedPreamble sample_preamble() {
  return {.file_bytes = 64 + 900 + 480 + 150 + 300,
          .index_offset = 64 + 900,
          .index_bytes = 480,
          .header_offset = 64 + 900 + 480 + 150,
          .header_bytes = 300,
          .checksum = 0x0123456789abcdef};
}

TEST(PackedPreamble, ComesBackAsItWas) {
  const PackedPreamble preamble = sample_preamble();
  const std::string bytes = format_packed_preamble(preamble);
  ASSERT_EQ(bytes.size(), kPackedPreambleBytes);
  const PackedPreamble read = parse_packed_preamble(bytes, preamble.file_bytes, "f");
  EXPECT_EQ(read.index_offset, preamble.index_offset);
  EXPECT_EQ(read.index_bytes, preamble.index_bytes);
  EXPECT_EQ(read.header_offset, preamble.header_offset);
  EXPECT_EQ(read.header_bytes, preamble.header_bytes);
  EXPECT_EQ(read.checksum, preamble.checksum);
  EXPECT_EQ(read.names_offset(), 64U + 900 + 480);
  EXPECT_EQ(read.names_bytes(), 150U);
}

TEST(PackedPreamble, HasTheDocumentedBytes) {
  const std::string bytes = format_packed_preamble(sample_preamble());
  EXPECT_EQ(bytes.substr(0, 16), std::string("RESISTPK\1\0\0\0\0\0\0\0", 16));
  EXPECT_EQ(bytes.substr(56), "\xef\xcd\xab\x89\x67\x45\x23\x01");
}

TEST(PackedPreamble, EveryLieIsRefused) {
  const auto refused = [](const auto& lie, const std::string& reason) {
    PackedPreamble preamble = sample_preamble();
    lie(preamble);
    const std::string bytes = format_packed_preamble(preamble);
    const std::string message =
        input_error([&] { parse_packed_preamble(bytes, sample_preamble().file_bytes, "f.packed"); });
    EXPECT_TRUE(contains(message, reason));
    EXPECT_TRUE(contains(message, "'f.packed'"));
  };
  refused([](PackedPreamble& p) { p.file_bytes += 1; }, "1894 bytes, 1895 were written");
  refused([](PackedPreamble& p) { p.file_bytes = 0; }, "1894 bytes, 0 were written");
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{63}, std::uint64_t{1895}, kMost}) {
    refused([&](PackedPreamble& p) { p.index_offset = offset; }, "an index of");
    refused([&](PackedPreamble& p) { p.header_offset = offset; }, "a header of");
  }
  for (const std::uint64_t bytes : {std::uint64_t{481}, std::uint64_t{960}, kMost - 31}) {
    refused([&](PackedPreamble& p) { p.index_bytes = bytes; }, "an index of");
  }
  refused([](PackedPreamble& p) { p.index_bytes += 160; }, "a header of");
  refused([](PackedPreamble& p) { p.header_offset -= 151; }, "a header of");
  refused([](PackedPreamble& p) { p.header_offset -= 1; }, "a header of");
  for (const std::uint64_t bytes : {std::uint64_t{299}, std::uint64_t{301}, kMost, kMost - 1593}) {
    refused([&](PackedPreamble& p) { p.header_bytes = bytes; }, "a header of");
  }
}

TEST(PackedPreamble, RefusesAHeaderAboveTheLimit) {
  PackedPreamble preamble = sample_preamble();
  preamble.header_bytes = kMostPackedHeaderBytes + 1;
  preamble.file_bytes = preamble.header_offset + preamble.header_bytes;
  const std::string bytes = format_packed_preamble(preamble);
  EXPECT_TRUE(contains(input_error([&] { parse_packed_preamble(bytes, preamble.file_bytes, "f"); }), "a header of"));
}

TEST(PackedPreamble, RefusesOtherFilesVersionsAndCutOnes) {
  const std::string good = format_packed_preamble(sample_preamble());
  const auto message = [](const std::string& bytes) {
    return input_error([&] { parse_packed_preamble(bytes, 1894, "f"); });
  };
  for (std::size_t length = 0; length < 8; ++length) {
    EXPECT_TRUE(contains(message(good.substr(0, length)), "does not start with RESISTPK"));
  }
  for (std::size_t length = 8; length < 64; ++length) {
    EXPECT_TRUE(contains(message(good.substr(0, length)), "at least 64 are needed"));
  }
  std::string other = good;
  other[7] = 'X';
  EXPECT_TRUE(contains(message(other), "does not start with RESISTPK"));
  other = good;
  other[8] = 2;
  EXPECT_TRUE(contains(message(other), "it has version 2"));
  other = good;
  other[15] = 1;
  EXPECT_TRUE(contains(message(other), "it has version 1 (16777216)"));
}

TEST(PackedHeader, ComesBackAsItWas) {
  const PackedHeader header = sample_header();
  const PackedHeader read = parse_packed_header(format_packed_header(header), "f");
  EXPECT_EQ(read.name, header.name);
  EXPECT_EQ(read.storage, header.storage);
  EXPECT_EQ(read.format, header.format);
  EXPECT_EQ(read.mean, header.mean);
  EXPECT_EQ(read.stddev, header.stddev);
  EXPECT_EQ(read.classes, header.classes);
  EXPECT_EQ(read.parts, header.parts);
}

TEST(PackedHeader, HasTheDocumentedKeys) {
  EXPECT_EQ(format_packed_header(sample_header()),
            R"({"format":"resist-packed","name":"things","storage":"pixels","channels":3,"height":4,"width":5,)"
            R"("mean":[0.5,0.25,0.0],"stddev":[0.125,1.0,0.10000000149011612],"classes":["a",")"
            "\xc3\xa9"
            R"(","c d"],"parts":[{"name":"train","count":12},{"name":"test","count":3}]})");
}

TEST(PackedHeader, WhatIsWrongIsNamed) {
  const auto refused = [](const std::string& from, const std::string& to, const std::string& reason) {
    std::string text = format_packed_header(sample_header());
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    const std::string message = input_error([&] { parse_packed_header(text, "f.packed"); });
    EXPECT_TRUE(contains(message, reason));
    EXPECT_TRUE(contains(message, "'f.packed'"));
  };
  refused("resist-packed", "other", "format must be resist-packed");
  refused("\"name\":\"things\"", "\"name\":7", "name must be a text");
  refused("things", "two\\nlines", "more than one line");
  refused("\"pixels\"", "\"auto\"", "storage must be files or pixels");
  refused("\"pixels\"", "\"other\"", "storage must be files or pixels");
  refused("\"channels\":3", "\"channels\":0", "channels must be a whole number");
  refused("\"channels\":3", "\"channels\":2", "channels must be 1 or 3");
  refused("\"channels\":3", "\"channels\":4294967299", "channels must be a whole number");
  refused("\"height\":4", "\"height\":0", "height must be a whole number from 1");
  refused("\"height\":4", "\"height\":-4", "height must be a whole number");
  refused("\"height\":4", "\"height\":65501", "height must be a whole number");
  refused("\"width\":5", "\"width\":5.5", "width must be a whole number");
  refused("\"pixels\",\"channels\":3,\"height\":4", "\"files\",\"channels\":3,\"height\":0", "width must be 0");
  refused("\"mean\":[0.5", "\"mean\":[1.5", "mean must have 3 numbers from 0 to 1");
  refused("\"mean\":[0.5", "\"mean\":[-0.5", "mean must have 3 numbers from 0 to 1");
  refused("\"mean\":[0.5,", "\"mean\":[", "mean must have 3 numbers");
  refused("\"mean\":[0.5,0.25,0.0]", "\"mean\":null", "mean must be a list");
  refused("0.125", "0", "stddev must have 3 numbers above 0");
  refused("0.125", "1e-300", "stddev must have 3 numbers above 0");
  refused("\"c d\"", "\"a\"", "classes must be a list of different names");
  refused("\"c d\"", "\"c\\td\"", "more than one line");
  refused("\"c d\"", "3", "classes must be a list of texts");
  refused("{\"name\":\"test\",\"count\":3}", "7", "an object is missing");
  refused("\"count\":3", "\"count\":0", "count must be a whole number from 1");
  refused("\"count\":3", "\"count\":4294967296", "count must be a whole number");
  refused("\"name\":\"test\",", "", "name is missing");
  refused("[{\"name\":\"train\",\"count\":12},{\"name\":\"test\",\"count\":3}]", "[]", "parts must be a list");
  refused("[{\"name\":\"train\",\"count\":12},{\"name\":\"test\",\"count\":3}]", "{}", "parts must be a list");
  refused("\"parts\"", "\"mean\"", "the key \"mean\" appears twice");
  refused("}]}", "}]", "not valid JSON");
}

TEST(PackedHeader, EveryCutIsRefused) {
  const std::string text = format_packed_header(sample_header());
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_THROW(parse_packed_header(text.substr(0, length), "f"), InputError) << length;
  }
}

TEST(PackedHeader, RefusesNamesThatCantBeWritten) {
  PackedHeader header = sample_header();
  header.classes[1] = "\xff";
  EXPECT_TRUE(contains(input_error([&] { format_packed_header(header); }), "not one line of UTF-8"));
  header.classes[1] = std::string(kMostPackedHeaderBytes, 'x');
  EXPECT_TRUE(contains(input_error([&] { format_packed_header(header); }), "use shorter ones"));
}

class PackedIndexTest : public testing::Test {
 protected:
  static std::vector<PackedEntry> entries() {
    std::vector<PackedEntry> result;
    for (std::uint32_t i = 0; i < 15; ++i) {
      result.push_back({.offset = 64 + 60 * i, .bytes = 60, .checksum = i, .label = i % 3, .name = 10 * i});
    }
    return result;
  }
  static void check(const std::vector<PackedEntry>& listed, const std::string& names, const PackedHeader& header) {
    std::string index;
    for (const PackedEntry& entry : listed) {
      append_packed_entry(index, entry);
    }
    check_packed_index(index, names, sample_preamble(), header, "f.packed");
  }
  static void refused(const std::vector<PackedEntry>& listed, const std::string& reason,
                      const PackedHeader& header = sample_header()) {
    const std::string message = input_error([&] { check(listed, std::string(150, '\0'), header); });
    EXPECT_TRUE(contains(message, reason));
    EXPECT_TRUE(contains(message, "'f.packed'"));
  }
  // Entry 7 with this value in `member`.
  template <typename Value>
  static std::vector<PackedEntry> with(Value PackedEntry::*member, std::uint64_t value) {
    std::vector<PackedEntry> result = entries();
    result[7].*member = static_cast<Value>(value);
    return result;
  }
};

TEST_F(PackedIndexTest, AnEntryHasTheDocumentedBytes) {
  std::string index;
  append_packed_entry(index, {.offset = 1, .bytes = 2, .checksum = 3, .label = 4, .name = 5});
  EXPECT_EQ(index, std::string("\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\4\0\0\0\5\0\0\0", 32));
  append_packed_entry(index, {.offset = 6, .bytes = 7, .checksum = 8, .label = 9, .name = 10});
  EXPECT_EQ(packed_entry(index, 1).offset, 6U);
  EXPECT_EQ(packed_entry(index, 1).name, 10U);
}

TEST_F(PackedIndexTest, TakesWhatIsRight) {
  EXPECT_NO_THROW(check(entries(), std::string(150, '\0'), sample_header()));
  PackedHeader header = sample_header();
  header.storage = PackStorage::files;
  std::vector<PackedEntry> listed = entries();
  listed[3].bytes = 0;
  listed[4].bytes = 59;
  EXPECT_NO_THROW(check(listed, std::string(150, '\0'), header));
}

TEST_F(PackedIndexTest, RefusesEntriesOutOfPlace) {
  refused(with(&PackedEntry::offset, 63), "sample 7: 60 bytes at byte 63 are not between");
  refused(with(&PackedEntry::offset, 905), "sample 7: 60 bytes at byte 905 are not between");
  refused(with(&PackedEntry::offset, kMost), "sample 7: 60 bytes");
  refused(with(&PackedEntry::offset, kMost - 59), "sample 7: 60 bytes");
  refused(with(&PackedEntry::bytes, kMost), "sample 7: 18446744073709551615 bytes");
  refused(with(&PackedEntry::bytes, 59), "sample 7: it has 59 bytes, a picture's pixels are 60");
  refused(with(&PackedEntry::label, 3), "sample 7: its label is 3, 0 to 2 are possible");
  refused(with(&PackedEntry::name, 150), "sample 7: its name is at byte 150 of 150");
}

TEST_F(PackedIndexTest, RefusesEntriesThatOverlapOrGoBack) {
  refused(with(&PackedEntry::offset, 64 + 7 * 60 - 1),
          "sample 7: it starts at byte 483, before the last one's end at 484");
  refused(with(&PackedEntry::offset, 64), "sample 7: it starts at byte 64");
  refused(with(&PackedEntry::offset, 64 + 7 * 60 + 1), "sample 8: it starts");
}

TEST_F(PackedIndexTest, RefusesAnotherNumberOfEntriesThanSamples) {
  std::vector<PackedEntry> listed = entries();
  listed.pop_back();
  refused(listed, "its index has 14 entries for 15 samples");
  PackedHeader header = sample_header();
  for (int part = 0; part < 98; ++part) {
    header.parts.emplace_back("x", std::numeric_limits<std::uint32_t>::max());
  }
  refused(entries(), "its index has 15 entries for 420906794925 samples", header);
}

TEST_F(PackedIndexTest, RefusesNamesWithoutAnEnd) {
  EXPECT_TRUE(contains(input_error([] { check(entries(), std::string(150, 'x'), sample_header()); }), "zero byte"));
  EXPECT_TRUE(contains(input_error([] { check(entries(), "", sample_header()); }), "zero byte"));
}

}  // namespace
}  // namespace resist
