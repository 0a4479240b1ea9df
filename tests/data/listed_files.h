#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "resist/data/picture_list.h"

namespace resist {

// Empty files at these paths within `root`, with their folders.
inline void touch(const std::filesystem::path& root, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream(root / path).flush();
  }
}

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// "NAME LABEL" of each picture.
inline std::vector<std::string> names_and_labels(const PictureList& list) {
  std::vector<std::string> texts;
  for (const ListedPicture& picture : list.pictures) {
    texts.push_back(picture.name + " " + std::to_string(picture.label));
  }
  return texts;
}

}  // namespace resist
