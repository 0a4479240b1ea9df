#include "resist/data/list_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "resist/core/error.h"
#include "resist/core/json_text.h"
#include "resist/data/class_folders.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBlanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  text.remove_suffix(text.size() - 1 - text.find_last_not_of(kBlanks));  // npos + 1 is 0
  return text;
}

struct Line {
  std::string_view path;
  std::string_view name;  // of the class
};

// At the last tab, comma or blank, in this order of preference: then what is left may have the others.
Line split(std::string_view text) {
  for (const char separator : {'\t', ',', ' '}) {
    const std::size_t place = text.rfind(separator);
    if (place != std::string_view::npos) {
      return {.path = trimmed(text.substr(0, place)), .name = trimmed(text.substr(place + 1))};
    }
  }
  return {.path = text, .name = {}};
}

// What is wrong with the line, or nothing.
std::string fault_of(const Line& line) {
  if (line.path.empty() || line.name.empty()) {
    return "it must be PATH CLASS, separated by blanks, a tab or a comma";
  }
  const fs::path path(line.path);
  if (!is_picture_name(path)) {
    return fmt::format("{} does not end in .jpg, .jpeg or .png", in_quotes(line.path));
  }
  if (path.is_absolute() || std::ranges::find(path, fs::path("..")) != path.end()) {
    return fmt::format("{} must be a path within the folder", in_quotes(line.path));
  }
  return {};
}

// Renumbers labels given in the order in which classes appeared.
void sort_classes(const std::map<std::string, std::uint32_t>& classes, PictureList& list) {
  std::vector<std::uint32_t> sorted(classes.size());
  for (const auto& [name, label] : classes) {
    sorted[label] = static_cast<std::uint32_t>(list.classes.size());
    list.classes.push_back(name);
  }
  for (ListedPicture& picture : list.pictures) {
    picture.label = sorted[picture.label];
  }
}

}  // namespace

std::optional<fs::path> find_list_file(const fs::path& folder) {
  fs::path beside = folder.has_filename() ? folder : folder.parent_path();
  beside += ".txt";
  for (const fs::path& path : {beside, folder / "list.txt"}) {
    std::error_code error;
    if (fs::is_regular_file(path, error)) {
      return path;
    }
  }
  return std::nullopt;
}

PictureList read_list_file(const fs::path& path, const fs::path& folder) {
  std::ifstream stream(path);
  PictureList list{.folder = folder, .classes = {}, .pictures = {}};
  std::map<std::string, std::uint32_t> classes;
  std::string text;
  for (int number = 1; std::getline(stream, text); ++number) {
    const std::string_view content = trimmed(text);
    if (content.empty() || content.starts_with('#')) {
      continue;
    }
    const Line line = split(content);
    const std::string fault = fault_of(line);
    if (!fault.empty()) {
      throw InputError(fmt::format("line {} of '{}' is {}: {}", number, path.string(), in_quotes(content), fault));
    }
    const auto label = classes.emplace(line.name, static_cast<std::uint32_t>(classes.size())).first->second;
    list.pictures.push_back({.name = std::string(line.path), .label = label});
  }
  if (stream.bad()) {
    throw InputError(fmt::format("'{}' can't be read to its end", path.string()));
  }
  if (list.pictures.empty()) {
    throw InputError(fmt::format("'{}' lists no pictures, or can't be read: it must have a line PATH CLASS for each",
                                 path.string()));
  }
  sort_classes(classes, list);
  return list;
}

}  // namespace resist
