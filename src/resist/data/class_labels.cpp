#include "resist/data/class_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <unordered_map>

#include "resist/core/error.h"

namespace resist {

std::vector<std::string> training_classes(const DatasetInfo& info) {
  std::vector<std::string> names = info.class_names;
  for (int number = 0; names.size() < static_cast<std::size_t>(info.classes); ++number) {
    names.push_back(std::to_string(number));
  }
  return names;
}

std::int64_t class_number(const std::string& text, std::int64_t bound) {
  std::int64_t number = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  return error == std::errc{} && end == last && !text.starts_with('-') && number < bound ? number : -1;
}

std::vector<std::uint32_t> match_classes(const std::vector<std::string>& classes,
                                         const std::vector<std::string>& training, const std::string& where) {
  std::unordered_map<std::string, std::uint32_t> labels;
  for (const std::string& name : training) {
    labels.emplace(name, static_cast<std::uint32_t>(labels.size()));
  }
  const auto count = static_cast<std::int64_t>(training.size());
  const bool by_name = std::ranges::any_of(classes, [&](const std::string& name) { return labels.contains(name); });
  std::vector<std::uint32_t> matched;
  for (const std::string& name : classes) {
    const auto found = labels.find(name);
    const std::int64_t number = class_number(name, count);
    if (by_name ? found == labels.end() : number < 0) {
      throw InputError(fmt::format(
          "{} has the class '{}', which is none of the {} training classes: its classes must {}", where, name, count,
          by_name ? "be named as those, for example '" + training.front() + "'"
                  : fmt::format("be named as those, or be their numbers, 0 to {}", count - 1)));
    }
    matched.push_back(by_name ? found->second : static_cast<std::uint32_t>(number));
  }
  return matched;
}

}  // namespace resist
