#include "resist/data/picture_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "resist/config/codec.h"
#include "resist/core/error.h"
#include "resist/core/json_text.h"
#include "resist/data/class_folders.h"
#include "resist/data/class_labels.h"
#include "resist/data/list_file.h"

namespace resist {
namespace {

constexpr std::int64_t kMostClasses = 1'000'000;

void set_labels(PictureList& list, const std::vector<std::uint32_t>& labels) {
  for (ListedPicture& picture : list.pictures) {
    picture.label = labels[picture.label];
  }
}

// Where all classes are numbers, they are the labels.
void number_classes(PictureList& list) {
  std::vector<std::uint32_t> labels;
  for (const std::string& name : list.classes) {
    const std::int64_t number = class_number(name, kMostClasses);
    if (number < 0) {
      return;
    }
    labels.push_back(static_cast<std::uint32_t>(number));
  }
  set_labels(list, labels);
  const std::uint32_t largest = std::ranges::max(labels);
  list.classes.clear();
  for (std::uint32_t label = 0; label <= largest; ++label) {
    list.classes.push_back(std::to_string(label));
  }
}

bool has_class_folders(const std::filesystem::path& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (!entry.path().filename().string().starts_with('.') && is_folder(entry.path())) {
      return true;
    }
  }
  return false;
}

// Names end up in messages, metadata and exported networks.
void check_class_names(const PictureList& list) {
  for (const std::string& name : list.classes) {
    if (!is_one_line(name)) {
      throw InputError(fmt::format("'{}' has a class {}, whose name is not one line of UTF-8 text; rename it",
                                   list.folder.string(), in_quotes(name)));
    }
  }
}

}  // namespace

std::optional<std::filesystem::path> find_test_folder(const std::filesystem::path& folder) {
  std::optional<std::filesystem::path> found;
  for (const char* name : {"test", "val"}) {
    const std::filesystem::path part = folder / name;
    if (is_folder(part) && (has_class_folders(part) || find_list_file(part))) {
      return part;
    }
    if (is_folder(part) && !found) {
      found = part;
    }
  }
  return found;
}

PictureList list_pictures(const std::filesystem::path& folder, const std::vector<std::string>& classes) {
  const std::optional<std::filesystem::path> list_file = find_list_file(folder);
  PictureList list = list_file ? read_list_file(*list_file, folder) : list_class_folders(folder, !classes.empty());
  if (list.pictures.empty()) {
    throw InputError(
        fmt::format("'{}' has {}: put each class's pictures into a folder of its own there, or list all "
                    "pictures with their classes in '{}.txt' or list.txt",
                    folder.string(), list.classes.empty() ? "no class folders" : "no pictures", folder.string()));
  }
  check_class_names(list);
  if (!classes.empty()) {
    set_labels(list, match_classes(list.classes, classes, fmt::format("'{}'", folder.string())));
    list.classes = classes;
  } else if (list_file) {
    number_classes(list);
  }
  return list;
}

}  // namespace resist
