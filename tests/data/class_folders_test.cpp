#include "resist/data/class_folders.h"

#include <gtest/gtest.h>

#include "expect_input_error.h"
#include "listed_files.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

using Texts = std::vector<std::string>;

TEST(ClassFolders, AreInTheOrderOfImageFolder) {
  const TemporaryFolder folder;
  // '-' comes before '/', which comes before letters: by folder first, then by name.
  touch(folder.path(), {"b/2.jpg", "b/10.jpg", "b/x/1.png", "b/x-y/1.jpeg", "b/a.JPG", "a/z.PNG", "B/1.jpg"});
  const PictureList list = list_class_folders(folder.path(), false);
  EXPECT_EQ(list.folder, folder.path());
  EXPECT_EQ(list.classes, (Texts{"B", "a", "b"}));
  EXPECT_EQ(names_and_labels(list),
            (Texts{"B/1.jpg 0", "a/z.PNG 1", "b/10.jpg 2", "b/2.jpg 2", "b/a.JPG 2", "b/x/1.png 2", "b/x-y/1.jpeg 2"}));
}

TEST(ClassFolders, LeaveOutHiddenAndOtherFiles) {
  const TemporaryFolder folder;
  touch(folder.path(), {"a/1.jpg", "a/.2.jpg", "a/notes.txt", "a/jpg", ".cache/1.jpg", "loose.jpg"});
  const PictureList list = list_class_folders(folder.path(), false);
  EXPECT_EQ(list.classes, (Texts{"a"}));
  EXPECT_EQ(names_and_labels(list), (Texts{"a/1.jpg 0"}));
}

TEST(ClassFolders, LinksToFoldersAreFollowed) {
  const TemporaryFolder folder;
  touch(folder.path(), {"elsewhere/1.jpg", "elsewhere/2.jpg", "set/a/1.jpg"});
  std::filesystem::create_directory_symlink(folder.path() / "elsewhere", folder.path() / "set/b");
  std::filesystem::create_directory_symlink(folder.path() / "elsewhere", folder.path() / "set/a/more");
  EXPECT_EQ(names_and_labels(list_class_folders(folder.path() / "set", false)),
            (Texts{"a/1.jpg 0", "a/more/1.jpg 0", "a/more/2.jpg 0", "b/1.jpg 1", "b/2.jpg 1"}));
}

TEST(ClassFolders, ALinkThatLeadsBackUpIsAnError) {
  const TemporaryFolder folder;
  touch(folder.path(), {"a/1.jpg"});
  std::filesystem::create_directory_symlink(folder.path() / "a", folder.path() / "a/again");
  std::filesystem::create_directory_symlink(folder.path() / "a", folder.path() / "a/and-again");
  expect_input_error([&] { list_class_folders(folder.path(), false); }, {"a/again/again", "16 folders deep", "link"});
}

TEST(ClassFolders, AClassMayLackPicturesOnlyWhereAllowed) {
  const TemporaryFolder folder;
  touch(folder.path(), {"a/1.jpg", "b/notes.txt"});
  expect_input_error([&] { list_class_folders(folder.path(), false); },
                     {(folder.path() / "b").string(), "no pictures (.jpg, .jpeg, .png)"});
  EXPECT_EQ(list_class_folders(folder.path(), true).classes, (Texts{"a", "b"}));
  expect_input_error([&] { list_class_folders(folder.path() / "none", false); }, {"can't list", "none"});
}

}  // namespace
}  // namespace resist
