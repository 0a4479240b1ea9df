#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace resist {

struct ListedPicture {
  std::string name;  // path within the list's folder
  std::uint32_t label;
};

// Labelled picture files: what a folder says before any of them is opened.
struct PictureList {
  std::filesystem::path folder;
  std::vector<std::string> classes;  // their names, by label
  std::vector<ListedPicture> pictures;
};

// The pictures (.jpg, .jpeg, .png) of `folder`, which has either one folder per class (labels follow the sorted names,
// torchvision's ImageFolder order; pictures of a class may lie in folders below it) or the pictures themselves and a
// list of their classes: FOLDER.txt beside it or list.txt in it, a line "PATH CLASS" for each picture, separated by
// blanks, a tab or a comma, lines that start with # left out.
//
// `classes`: empty: the list makes them (a list whose classes are all integers has the classes 0..largest, otherwise
// its sorted names). Given (the training set's): every class folder's or list's class must be one of the names, or,
// where none is, its number from 0 (so folders 0 to 999 name ImageNet's classes); a training class may have no picture
// here. InputError names the folder, or the list's line, and what is wrong.
PictureList list_pictures(const std::filesystem::path& folder, const std::vector<std::string>& classes = {});

// The folder of a data set's test pictures: test/ or val/, the first that list_pictures can read, or else the first
// that is there (an unlabelled test/ often lies beside val/). Nothing where there is neither.
std::optional<std::filesystem::path> find_test_folder(const std::filesystem::path& folder);

}  // namespace resist
