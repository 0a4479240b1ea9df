#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <random>

#include "checkpoint/checkpoint_samples.h"
#include "resist/checkpoint/safetensors.h"
#include "resist/core/file.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

class SafetensorsReaderTest : public testing::Test {
 protected:
  std::string refusal(const std::string& bytes) {
    write(bytes);
    return message_of<InputError>([&] { SafetensorsReader reader(path_); });
  }
  void write(const std::string& bytes) {
    std::filesystem::remove(path_);  // some filesystems flush a file that is emptied and written anew, which is slow
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  static std::string length(std::uint64_t value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }

  const TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "f.safetensors";
};

TEST_F(SafetensorsReaderTest, RefusesLyingLengths) {
  EXPECT_NE(refusal("").find("it has 0 bytes"), std::string::npos);
  EXPECT_NE(refusal("1234567").find("it has 7 bytes"), std::string::npos);
  EXPECT_NE(refusal(length(0)).find("does not start with '{'"), std::string::npos);
  EXPECT_NE(refusal(length(3) + "{}").find("a header of 3 bytes, at most 2"), std::string::npos);
  EXPECT_NE(refusal(length(~std::uint64_t{0}) + "{}").find("18446744073709551615"), std::string::npos);
  EXPECT_NE(refusal(length(std::uint64_t{1} << 63) + "{}").find("9223372036854775808"), std::string::npos);
}

TEST_F(SafetensorsReaderTest, RefusesAHeaderAboveTheLimitBeforeReadingIt) {
  write(length(100'000'001) + "{}");
  std::filesystem::resize_file(path_, 200'000'000);  // a hole: takes no room on the disk
  const std::string message = message_of<InputError>([&] { SafetensorsReader reader(path_); });
  EXPECT_NE(message.find("at most 100000000 are possible"), std::string::npos) << message;
}

TEST_F(SafetensorsReaderTest, RefusesWhatIsNotAFile) {
  EXPECT_THROW(SafetensorsReader(folder_.path()), InputError);
  EXPECT_THROW(SafetensorsReader(folder_.path() / "missing"), InputError);
  ASSERT_EQ(::mkfifo((folder_.path() / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(SafetensorsReader(folder_.path() / "pipe"), InputError);
  EXPECT_THROW(SafetensorsReader("/dev/zero"), InputError);
}

TEST_F(SafetensorsReaderTest, RefusesUnknownNamesAndWrongSizes) {
  SafetensorsWriter writer(path_, {{"x", {2}}});
  std::vector<float> values(2);
  writer.append(values);
  writer.finish();
  SafetensorsReader reader(path_);
  EXPECT_NE(message_of<InputError>([&] { reader.read("y", values); }).find("no tensor \"y\""), std::string::npos);
  values.resize(3);
  EXPECT_NE(message_of<InputError>([&] { reader.read("x", values); }).find("has 8 bytes, 12 are expected"),
            std::string::npos);
  values.resize(2);
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 1);
  EXPECT_NE(message_of<InputError>([&] { reader.read("x", values); }).find("become shorter"), std::string::npos);
}

// Bytes changed, inserted, removed and cut at random, mostly in the header: whatever is not refused must be readable.
TEST_F(SafetensorsReaderTest, RefusesOrReadsWhateverAFileHolds) {
  SafetensorsWriter writer(path_, {{"first", {2, 3}}, {"second", {}}, {"third", {0}}, {"fourth", {5}}}, {{"k", "v"}});
  writer.append(std::vector<float>(12, 1.0F));
  writer.finish();
  const std::string original = read_file(path_);
  const std::string alphabet = "{}[]\",:0123456789-.eF \\/tfn\x01\x7f\xc3\xff";
  std::mt19937 random(7);  // NOLINT: a fixed seed is the point
  const auto below = [&](std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
  };
  int refused = 0;
  int accepted = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = original;
    for (std::size_t change = below(3) + 1; change > 0; --change) {
      const std::size_t place = below(bytes.size());
      switch (below(5)) {
        case 0:
          bytes[place] = static_cast<char>(below(256));
          break;
        case 1:
          bytes[place] = alphabet[below(alphabet.size())];
          break;
        case 2:
          bytes.insert(place, 1, alphabet[below(alphabet.size())]);
          break;
        case 3:
          bytes.erase(place, below(20) + 1);
          break;
        default:
          bytes.insert(place, bytes, below(bytes.size()), below(30));
      }
      bytes += bytes.empty() ? "x" : "";
    }
    write(bytes);
    try {
      const SafetensorsReader reader(path_);
      for (const TensorSpec& tensor : reader.tensors()) {
        std::size_t count = 1;
        for (const std::int64_t size : tensor.shape) {
          count *= static_cast<std::size_t>(size);
        }
        ASSERT_LE(count * sizeof(float), bytes.size());
        std::vector<float> values(count);
        reader.read(tensor.name, values);
      }
      ++accepted;
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
  EXPECT_GT(accepted, 100) << "changes of values alone must be readable";
}

}  // namespace
}  // namespace resist
