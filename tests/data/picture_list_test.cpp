#include "resist/data/picture_list.h"

#include <gtest/gtest.h>

#include "expect_input_error.h"
#include "listed_files.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

using Texts = std::vector<std::string>;

class PictureListTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::filesystem::path set_ = folder_.path() / "set";
};

TEST_F(PictureListTest, NumberedClassFoldersMeanTheirNumbersWhereTrainingClassesHaveNames) {
  Texts training;
  for (int i = 0; i < 12; ++i) {
    training.push_back("n" + std::to_string(1000 + i));
  }
  touch(set_, {"0/a.jpg", "10/b.jpg", "2/c.jpg"});
  const PictureList list = list_pictures(set_, training);
  EXPECT_EQ(list.classes, training);
  EXPECT_EQ(names_and_labels(list), (Texts{"0/a.jpg 0", "10/b.jpg 10", "2/c.jpg 2"}));
}

TEST_F(PictureListTest, ClassFoldersOnTheirOwnAreSortedAsTexts) {
  touch(set_, {"0/a.jpg", "10/b.jpg", "2/c.jpg"});
  const PictureList list = list_pictures(set_);
  EXPECT_EQ(list.classes, (Texts{"0", "10", "2"}));
  EXPECT_EQ(names_and_labels(list), (Texts{"0/a.jpg 0", "10/b.jpg 1", "2/c.jpg 2"}));
  EXPECT_EQ(names_and_labels(list_pictures(set_, list.classes)), names_and_labels(list));
}

TEST_F(PictureListTest, SomeTrainingClassesMayBeMissing) {
  touch(set_, {"b/a.jpg", "c/notes.txt"});
  EXPECT_EQ(names_and_labels(list_pictures(set_, {"a", "b", "c"})), (Texts{"b/a.jpg 1"}));
  touch(set_, {"d/a.jpg"});
  expect_input_error([&] { list_pictures(set_, {"a", "b", "c"}); }, {"'" + set_.string() + "'", "the class 'd'"});
}

TEST_F(PictureListTest, AListOfNumbersHasAllClassesUpToTheLargest) {
  write_text(folder_.path() / "set.txt", "x.jpg 3\ny.jpg 0\nz.jpg 10\n");
  const PictureList list = list_pictures(set_);
  EXPECT_EQ(list.classes.size(), 11U);
  EXPECT_EQ(list.classes.back(), "10");
  EXPECT_EQ(names_and_labels(list), (Texts{"x.jpg 3", "y.jpg 0", "z.jpg 10"}));
}

TEST_F(PictureListTest, AListOfNamesHasTheSortedOnes) {
  std::filesystem::create_directory(set_);
  write_text(set_ / "list.txt", "x.jpg dog\ny.jpg cat\nz.jpg 10\n");
  const PictureList list = list_pictures(set_);
  EXPECT_EQ(list.classes, (Texts{"10", "cat", "dog"}));
  EXPECT_EQ(names_and_labels(list), (Texts{"x.jpg 2", "y.jpg 1", "z.jpg 0"}));
}

TEST_F(PictureListTest, AListIsMatchedWithTheTrainingClasses) {
  std::filesystem::create_directory(set_);
  write_text(set_ / "list.txt", "x.jpg dog\n");
  EXPECT_EQ(names_and_labels(list_pictures(set_, {"cat", "dog"})), (Texts{"x.jpg 1"}));
  write_text(set_ / "list.txt", "x.jpg 0\ny.jpg 1\n");
  EXPECT_EQ(names_and_labels(list_pictures(set_, {"cat", "dog"})), (Texts{"x.jpg 0", "y.jpg 1"}));
  EXPECT_EQ(names_and_labels(list_pictures(set_, {"1", "0"})), (Texts{"x.jpg 1", "y.jpg 0"}));
  write_text(set_ / "list.txt", "x.jpg 2\n");
  expect_input_error([&] { list_pictures(set_, {"cat", "dog"}); }, {set_.string(), "the class '2'", "0 to 1"});
}

TEST_F(PictureListTest, AHugeClassNumberIsAName) {
  std::filesystem::create_directory(set_);
  write_text(set_ / "list.txt", "x.jpg 4000000000\ny.jpg 1\n");
  EXPECT_EQ(list_pictures(set_).classes, (Texts{"1", "4000000000"}));
}

TEST_F(PictureListTest, AFolderWithoutLabelsSaysWhatIsExpected) {
  touch(set_, {"1.jpg", "2.jpg"});
  expect_input_error([&] { list_pictures(set_); },
                     {"'" + set_.string() + "' has no class folders", set_.string() + ".txt", "list.txt"});
  touch(set_, {"a/notes.txt"});
  expect_input_error([&] { list_pictures(set_, {"a"}); }, {"has no pictures"});
}

}  // namespace
}  // namespace resist
