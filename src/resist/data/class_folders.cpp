#include "resist/data/class_folders.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "resist/core/error.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepest = 16;

struct Entries {
  std::vector<std::string> folders;
  std::vector<std::string> files;
};

// Sorted, because the file system gives them in any order.
Entries list_entries(const fs::path& folder) {
  Entries entries;
  try {
    for (const auto& entry : fs::directory_iterator(folder)) {
      std::string name = entry.path().filename().string();
      if (!name.starts_with('.')) {
        (entry.is_directory() ? entries.folders : entries.files).push_back(std::move(name));
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw InputError(fmt::format("can't list '{}': {}", folder.string(), error.code().message()));
  }
  std::ranges::sort(entries.folders);
  std::ranges::sort(entries.files);
  return entries;
}

struct PictureFolder {
  std::string within;  // the list's folder
  std::vector<std::string> files;
};

// Adds the folder `within` of `folder` and all below it.
void add_folders(const fs::path& folder, const std::string& within, int depth, std::vector<PictureFolder>& found) {
  if (depth > kDeepest) {
    throw InputError(fmt::format("'{}' is more than {} folders deep: does a link lead back to a folder above it?",
                                 (folder / within).string(), kDeepest));
  }
  Entries entries = list_entries(folder / within);
  found.push_back({.within = within, .files = std::move(entries.files)});
  for (const std::string& name : entries.folders) {
    add_folders(folder, fmt::format("{}/{}", within, name), depth + 1, found);
  }
}

// The order of torchvision's ImageFolder: by the folder's whole path, then by name.
std::vector<PictureFolder> find_picture_folders(const fs::path& folder, const std::string& class_name) {
  std::vector<PictureFolder> found;
  add_folders(folder, class_name, 0, found);
  std::ranges::sort(found, {}, &PictureFolder::within);
  return found;
}

}  // namespace

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool is_picture_name(const fs::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

PictureList list_class_folders(const fs::path& folder, bool may_lack) {
  PictureList list{.folder = folder, .classes = list_entries(folder).folders, .pictures = {}};
  std::size_t ignored = 0;
  for (std::uint32_t label = 0; label < list.classes.size(); ++label) {
    const std::size_t before = list.pictures.size();
    for (const auto& [within, files] : find_picture_folders(folder, list.classes[label])) {
      for (const std::string& name : files) {
        if (is_picture_name(name)) {
          list.pictures.push_back({.name = fmt::format("{}/{}", within, name), .label = label});
        } else {
          ++ignored;
        }
      }
    }
    if (list.pictures.size() == before && !may_lack) {
      throw InputError(
          fmt::format("class folder '{}' has no pictures (.jpg, .jpeg, .png): add some or remove the folder",
                      (folder / list.classes[label]).string()));
    }
  }
  if (ignored > 0) {
    spdlog::warn("ignored {} files in '{}' whose names do not end in .jpg, .jpeg or .png", ignored, folder.string());
  }
  return list;
}

}  // namespace resist
