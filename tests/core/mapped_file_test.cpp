#include "resist/core/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <limits>

#include "support/input_error.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

class MappedFileTest : public testing::Test {
 protected:
  void write(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }

  const TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "f";
};

TEST_F(MappedFileTest, GivesTheFilesBytes) {
  write("0123456789");
  const MappedFile file(path_);
  file.expect_random_access();
  file.will_need(3, 2);
  file.will_need(9, 100);
  file.will_need(10, 1);
  EXPECT_EQ(file.size(), 10U);
  EXPECT_EQ(file.bytes(0, 10), "0123456789");
  EXPECT_EQ(file.bytes(3, 2), "34");
  EXPECT_EQ(file.bytes(10, 0), "");
}

TEST_F(MappedFileTest, RefusesBytesBeyondTheEnd) {
  write("0123456789");
  const MappedFile file(path_);
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  for (const auto& [offset, count] : std::initializer_list<std::pair<std::uint64_t, std::uint64_t>>{
           {0, 11}, {9, 2}, {11, 0}, {1, kMost}, {kMost, 1}}) {
    EXPECT_TRUE(contains(input_error([&, o = offset, c = count] { file.bytes(o, c); }), "'" + path_.string() + "'"));
  }
}

TEST_F(MappedFileTest, NoticesThatItHasBecomeShorter) {
  write(std::string(100'000, 'x'));
  const MappedFile file(path_);
  std::filesystem::resize_file(path_, 99'999);
  EXPECT_TRUE(contains(input_error([&] { file.bytes(0, 1); }), "99999 bytes of 100000 are left"));
}

TEST_F(MappedFileTest, AnEmptyFileHasNoBytes) {
  write("");
  const MappedFile file(path_);
  file.expect_random_access();
  EXPECT_EQ(file.bytes(0, 0), "");
  EXPECT_THROW(file.bytes(0, 1), InputError);
}

TEST_F(MappedFileTest, RefusesWhatIsNotAFile) {
  EXPECT_TRUE(contains(input_error([&] { MappedFile file(path_); }), "No such file"));
  EXPECT_TRUE(contains(input_error([&] { MappedFile file(folder_.path()); }), "not a regular file"));
  EXPECT_TRUE(contains(input_error([] { MappedFile file("/dev/zero"); }), "not a regular file"));
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_TRUE(contains(input_error([&] { MappedFile file(path_); }), "not a regular file"));
}

}  // namespace
}  // namespace resist
