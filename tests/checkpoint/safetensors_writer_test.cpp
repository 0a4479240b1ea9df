#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <numeric>

#include "checkpoint/checkpoint_samples.h"
#include "resist/checkpoint/safetensors.h"
#include "resist/core/file.h"
#include "resist/core/hash.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

// What Python's safetensors 0.5 writes for the tensors below:
//   save({"a/\u00e9": float32 [[1.5, -2, 3], [4, 5, 6]], "b": float32 0.25, "c": float32 of shape (0, 3)},
//        {"part": 'x"y'})
std::string recorded_file() {
  std::string file("\xd0\0\0\0\0\0\0\0", 8);
  file +=
      "{\"__metadata__\":{\"part\":\"x\\\"y\"},\"a/\xc3\xa9\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":"
      "[0,24]},\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[24,28]},\"c\":{\"dtype\":\"F32\",\"shape\":"
      "[0,3],\"data_offsets\":[28,28]}}      ";
  file +=
      std::string("\x00\x00\xc0?\x00\x00\x00\xc0\x00\x00@@\x00\x00\x80@\x00\x00\xa0@\x00\x00\xc0@\x00\x00\x80>", 28);
  return file;
}

const std::vector<TensorSpec> kRecordedTensors = {{"a/\u00e9", {2, 3}}, {"b", {}}, {"c", {0, 3}}};
const std::vector<float> kRecordedValues = {1.5F, -2, 3, 4, 5, 6, 0.25F};

TEST(SafetensorsWriter, WritesTheBytesOfTheReferenceImplementation) {
  const TemporaryFolder folder;
  SafetensorsWriter writer(folder.path() / "f", kRecordedTensors, {{"part", "x\"y"}});
  writer.append(kRecordedValues);
  const PartDigest digest = writer.finish();
  EXPECT_EQ(read_file(folder.path() / "f"), recorded_file());
  EXPECT_EQ(digest.bytes, static_cast<std::int64_t>(recorded_file().size()));
  EXPECT_EQ(digest.checksum, hash_text(recorded_file()));
}

TEST(SafetensorsReader, ReadsAFileOfTheReferenceImplementation) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "f", recorded_file());
  const SafetensorsReader reader(folder.path() / "f");
  ASSERT_EQ(reader.tensors().size(), 3U);
  EXPECT_EQ(reader.tensors()[0].name, "a/\u00e9");
  EXPECT_EQ(reader.tensors()[2].shape, (std::vector<std::int64_t>{0, 3}));
  EXPECT_EQ(reader.metadata().at("part"), "x\"y");
  std::vector<float> values(7);
  reader.read("a/\u00e9", std::span(values).first(6));
  reader.read("b", std::span(values).last(1));
  reader.read("c", {});
  EXPECT_EQ(values, kRecordedValues);
}

TEST(SafetensorsWriter, TakesValuesInPiecesOfAnySize) {
  const TemporaryFolder folder;
  constexpr std::int64_t kValues = 1'000'000;
  std::vector<float> values(kValues);
  std::iota(values.begin(), values.end(), 0.0F);
  const std::vector<TensorSpec> tensors = {{"x", {kValues - 10}}, {"y", {10}}};
  std::string checksum;
  for (const std::size_t piece : {std::size_t{1000}, std::size_t{262'144}, std::size_t{300'001}, values.size()}) {
    SafetensorsWriter writer(folder.path() / "f", tensors);
    for (std::size_t first = 0; first < values.size(); first += piece) {
      writer.append(std::span(values).subspan(first, std::min(piece, values.size() - first)));
    }
    const PartDigest digest = writer.finish();
    EXPECT_EQ(digest.checksum, hash_text(read_file(folder.path() / "f")));
    EXPECT_TRUE(checksum.empty() || checksum == digest.checksum);
    checksum = digest.checksum;
  }
  std::vector<float> last(10);
  SafetensorsReader(folder.path() / "f").read("y", last);
  EXPECT_EQ(last.back(), kValues - 1);
}

TEST(SafetensorsWriter, CarriesEveryBitOfAFloat) {
  const TemporaryFolder folder;
  const std::vector<std::uint32_t> bits = {0,          0x80000000, 1,          0x7f800000,
                                           0xff800000, 0x7fc00001, 0xffc12345, 0x7f7fffff};
  std::vector<float> values(bits.size());
  std::memcpy(values.data(), bits.data(), bits.size() * sizeof(float));
  SafetensorsWriter writer(folder.path() / "f", {{"x", {8}}});
  writer.append(values);
  writer.finish();
  std::vector<float> read(bits.size());
  SafetensorsReader(folder.path() / "f").read("x", read);
  EXPECT_EQ(std::memcmp(read.data(), bits.data(), bits.size() * sizeof(float)), 0);
}

TEST(SafetensorsWriter, RefusesTooFewAndTooManyValues) {
  const TemporaryFolder folder;
  const std::vector<float> values(5);
  SafetensorsWriter fewer(folder.path() / "f", {{"x", {6}}});
  fewer.append(values);
  EXPECT_NE(message_of<Error>([&] { fewer.finish(); }).find("4 bytes of values are missing"), std::string::npos);
  SafetensorsWriter more(folder.path() / "g", {{"x", {4}}});
  EXPECT_NE(message_of<Error>([&] { more.append(values); }).find("20 bytes of values came where 16 are left"),
            std::string::npos);
  EXPECT_THROW(more.append(std::span(values).first(4)), Error) << "a writer that failed goes on";
  EXPECT_THROW(more.finish(), Error);
}

TEST(SafetensorsWriter, NamesTheFileWhenTheDiskIsFull) {
  const std::string message = message_of<Error>([] { SafetensorsWriter("/dev/full", {{"x", {1}}}); });
  EXPECT_NE(message.find("/dev/full"), std::string::npos);
  EXPECT_NE(message.find("No space left"), std::string::npos);
}

}  // namespace
}  // namespace resist
