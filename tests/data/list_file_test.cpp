#include "resist/data/list_file.h"

#include <gtest/gtest.h>

#include "expect_input_error.h"
#include "listed_files.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

using Texts = std::vector<std::string>;

class ListFileTest : public testing::Test {
 protected:
  PictureList read(const std::string& text) const {
    write_text(path_, text);
    return read_list_file(path_, folder_.path() / "set");
  }
  void expect_refused(const std::string& text, std::initializer_list<std::string> parts) const {
    expect_input_error([&] { read(text); }, parts);
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "set.txt";
};

TEST_F(ListFileTest, LiesBesideTheFolderOrInIt) {
  const auto set = folder_.path() / "set";
  std::filesystem::create_directory(set);
  EXPECT_EQ(find_list_file(set), std::nullopt);
  write_text(set / "list.txt", "");
  EXPECT_EQ(find_list_file(set), set / "list.txt");
  write_text(path_, "");
  EXPECT_EQ(find_list_file(set), path_);
  EXPECT_EQ(find_list_file(set / ""), path_);
}

TEST_F(ListFileTest, KeepsItsOrderAndSortsTheClasses) {
  const PictureList list = read("b.jpg dog\n# a comment\n\na.png cat\nsub/c.JPEG\tdog\nd.jpg,eel\n");
  EXPECT_EQ(list.folder, folder_.path() / "set");
  EXPECT_EQ(list.classes, (Texts{"cat", "dog", "eel"}));
  EXPECT_EQ(names_and_labels(list), (Texts{"b.jpg 1", "a.png 0", "sub/c.JPEG 1", "d.jpg 2"}));
}

TEST_F(ListFileTest, TakesBlanksAroundAndWithin) {
  const PictureList list = read("  my cat.jpg   cat  \r\na, b.jpg\tbig dog\r\nc d.jpg , e f\nlast.jpg cat");
  EXPECT_EQ(list.classes, (Texts{"big dog", "cat", "e f"}));
  EXPECT_EQ(names_and_labels(list), (Texts{"my cat.jpg 1", "a, b.jpg 0", "c d.jpg 2", "last.jpg 1"}));
}

TEST_F(ListFileTest, WrongLinesAreNamed) {
  expect_refused("a.jpg 1\nb.jpg\n", {"line 2 of '" + path_.string() + "'", "\"b.jpg\"", "PATH CLASS"});
  expect_refused("a.jpg,\n", {"line 1", "PATH CLASS"});
  expect_refused(",3\n", {"line 1", "PATH CLASS"});
  expect_refused("# x\na.gif 1\n", {"line 2", "\"a.gif\"", ".jpg, .jpeg or .png"});
  expect_refused("/etc/a.jpg 1\n", {"\"/etc/a.jpg", "within the folder"});
  expect_refused("x/../../a.jpg 1\n", {"within the folder"});
}

TEST_F(ListFileTest, AnEmptyListIsRefused) {
  expect_refused("", {path_.string(), "lists no pictures"});
  expect_refused("# nothing\n\n", {path_.string(), "lists no pictures"});
}

}  // namespace
}  // namespace resist
