#include "resist/data/dataset_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "resist/config/codec.h"
#include "resist/core/error.h"

namespace resist {
namespace {

constexpr int kMostChannels = 1024;
constexpr int kLargestSide = 4096;
constexpr int kMostClasses = 1'000'000;

int integer_at(const nlohmann::json& json, const char* key, int most) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_integer() || *found < 1 || *found > most) {
    throw InputError(fmt::format("its data set's \"{}\" must be an integer from 1 to {}", key, most));
  }
  return found->get<int>();
}

// One number per channel.
std::vector<float> numbers_at(const nlohmann::json& json, const char* key, int channels) {
  const auto found = json.find(key);
  const bool fits = found != json.end() && found->is_array() && found->size() == static_cast<std::size_t>(channels) &&
                    std::ranges::all_of(*found, [](const nlohmann::json& value) {
                      return value.is_number() && std::isfinite(value.get<float>());
                    });
  if (!fits) {
    throw InputError(fmt::format("its data set's \"{}\" must be {} numbers", key, channels));
  }
  return found->get<std::vector<float>>();
}

}  // namespace

nlohmann::json to_json(const DatasetInfo& info) {
  return {{"name", info.name},
          {"channels", info.channels},
          {"height", info.height},
          {"width", info.width},
          {"mean", info.mean},
          {"stddev", info.stddev},
          {"resize", info.own_sizes},
          {"classes", info.class_names.empty() ? nlohmann::json(info.classes) : nlohmann::json(info.class_names)}};
}

DatasetInfo dataset_info_from_json(const nlohmann::json& json) {
  if (!json.is_object()) {
    throw InputError("what it says of its data set is no JSON object");
  }
  DatasetInfo info;
  info.channels = integer_at(json, "channels", kMostChannels);
  info.height = integer_at(json, "height", kLargestSide);
  info.width = integer_at(json, "width", kLargestSide);
  info.mean = numbers_at(json, "mean", info.channels);
  info.stddev = numbers_at(json, "stddev", info.channels);
  if (!std::ranges::all_of(info.stddev, [](float stddev) { return stddev > 0; })) {
    throw InputError("its data set's \"stddev\" must be above 0");
  }
  const auto name = json.find("name");
  const auto resize = json.find("resize");
  if (name == json.end() || !name->is_string() || resize == json.end() || !resize->is_boolean()) {
    throw InputError("its data set's \"name\" must be a text and \"resize\" true or false");
  }
  info.name = name->get<std::string>();
  info.own_sizes = resize->get<bool>();
  const auto classes = json.find("classes");
  if (classes == json.end() || !classes->is_array()) {
    info.classes = integer_at(json, "classes", kMostClasses);
    return info;
  }
  if (classes->size() > kMostClasses || !std::ranges::all_of(*classes, [](const nlohmann::json& one) {
        return one.is_string() && is_one_line(one.get_ref<const std::string&>());
      })) {
    throw InputError("its data set's \"classes\" must be their number or a list of their names, one line each");
  }
  info.class_names = classes->get<std::vector<std::string>>();
  info.classes = static_cast<int>(info.class_names.size());
  return info;
}

}  // namespace resist
