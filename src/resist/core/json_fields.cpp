#include "resist/core/json_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "resist/core/error.h"

namespace resist {

using nlohmann::json;

JsonFields::JsonFields(const json& object, std::string file) : object_(object), file_(std::move(file)) {
  if (!object.is_object()) {
    throw InputError(fmt::format("'{}' is damaged: an object is missing", file_));
  }
}

bool JsonFields::has(const char* key) const {
  return object_.contains(key);
}

const json& JsonFields::at(const char* key) const {
  const auto found = object_.find(key);
  if (found == object_.end()) {
    refuse(key, "is missing");
  }
  return *found;
}

std::int64_t JsonFields::whole(const char* key, std::int64_t least, std::int64_t most) const {
  const json& value = at(key);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() < static_cast<std::uint64_t>(least) ||
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(most)) {
    refuse(key, fmt::format("must be a whole number from {} to {}", least, most));
  }
  return value.get<std::int64_t>();
}

std::string JsonFields::text(const char* key) const {
  const json& value = at(key);
  if (!value.is_string()) {
    refuse(key, "must be a text");
  }
  return value.get<std::string>();
}

std::vector<std::int64_t> JsonFields::wholes(const char* key) const {
  const json& elements = list(key, &json::is_number_unsigned, "whole numbers, none below 0");
  auto values = elements.get<std::vector<std::int64_t>>();
  if (std::ranges::any_of(values, [](std::int64_t value) { return value < 0; })) {
    refuse(key, "has a number that is too large");
  }
  return values;
}

std::vector<double> JsonFields::numbers(const char* key) const {
  return list(key, &json::is_number, "numbers").get<std::vector<double>>();
}

std::vector<std::vector<double>> JsonFields::number_lists(const char* key) const {
  const json& all = list(key, &json::is_array, "lists of numbers");
  std::vector<std::vector<double>> lists;
  lists.reserve(all.size());
  for (const json& element : all) {
    if (!std::ranges::all_of(element, [](const json& number) { return number.is_number(); })) {
      refuse(key, "must be a list of lists of numbers");
    }
    lists.push_back(element.get<std::vector<double>>());
  }
  return lists;
}

std::vector<std::string> JsonFields::texts(const char* key) const {
  return list(key, &json::is_string, "texts").get<std::vector<std::string>>();
}

void JsonFields::refuse(const char* key, const std::string& reason) const {
  throw InputError(fmt::format("'{}' is damaged: {} {}", file_, key, reason));
}

const json& JsonFields::list(const char* key, bool (json::*is_right)() const, const char* of_what) const {
  const json& value = at(key);
  if (!value.is_array() || !std::ranges::all_of(value, [&](const json& element) { return (element.*is_right)(); })) {
    refuse(key, fmt::format("must be a list of {}", of_what));
  }
  return value;
}

}  // namespace resist
