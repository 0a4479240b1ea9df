#include "resist/core/file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "resist/core/error.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

TEST(File, AtomicWriteReplacesAndLeavesNothingBeside) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "a", "one");
  write_file_atomically(folder.path() / "a", "two");
  EXPECT_EQ(read_file(folder.path() / "a"), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(File, ReadRefusesWhatIsMissingAFolderOrTooLarge) {
  const TemporaryFolder folder;
  EXPECT_THROW(read_file(folder.path() / "missing"), InputError);
  EXPECT_THROW(read_file(folder.path()), InputError);
  write_file_atomically(folder.path() / "a", "12345");
  EXPECT_THROW(read_file(folder.path() / "a", 4), InputError);
  EXPECT_EQ(read_file(folder.path() / "a", 5), "12345");
}

TEST(File, WritingOverLeavesTheEndWhereItIs) {
  const TemporaryFolder folder;
  OutputFile file(folder.path() / "a");
  file.write("01234");
  file.write_over(1, "xy");
  file.write("56");
  file.sync_and_close();
  EXPECT_EQ(read_file(folder.path() / "a"), "0xy3456");
}

TEST(File, AFullDiskIsAnErrorThatNamesTheFile) {
  OutputFile file("/dev/full");
  try {
    file.write("x");
    FAIL() << "writing to a full disk succeeded";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/dev/full"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("No space left"), std::string::npos);
  }
}

}  // namespace
}  // namespace resist
