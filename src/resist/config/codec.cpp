#include "resist/config/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "resist/config/nearest.h"
#include "resist/core/error.h"

namespace resist {

std::string join_words(const std::vector<std::string>& words) {
  std::string joined;
  for (std::size_t i = 0; i < words.size(); ++i) {
    joined += (i == 0 ? "" : i + 1 < words.size() ? ", " : " or ") + words[i];
  }
  return joined;
}

std::string to_text(const nlohmann::json& value) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_array()) {
    std::string joined;
    for (const auto& element : value) {
      joined += (joined.empty() ? "" : ",") + to_text(element);
    }
    return joined;
  }
  return value.is_number_float() ? fmt::format("{}", value.get<double>()) : value.dump();
}

std::string shown(const nlohmann::json& value) {
  constexpr std::size_t kLongest = 80;
  std::string line =
      value.is_number_float() ? to_text(value) : value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (value.is_string()) {
    line = line.substr(1, line.size() - 2);
  }
  if (line.size() > kLongest) {
    line = line.substr(0, kLongest) + "...";
  }
  return value.is_string() ? fmt::format("'{}'", line) : line;
}

bool is_one_line(const std::string& text) {
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7f) {
      return false;
    }
  }
  try {
    (void)nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {  // not UTF-8
    return false;
  }
  return true;
}

void refuse(const std::string& name, const nlohmann::json& got, const std::string& allowed,
            const std::vector<std::string>& words) {
  const std::string hint = got.is_string() ? did_you_mean(got.get<std::string>(), words) : "";
  throw InputError(fmt::format("{} is {}; it must be {}{}", name, shown(got), allowed, hint));
}

std::vector<std::string> split_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::optional<std::int64_t> read_integer(const nlohmann::json& value, std::int64_t least, std::int64_t most) {
  if (!value.is_number_integer() ||
      (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(most))) {
    return std::nullopt;
  }
  const auto number = value.get<std::int64_t>();
  return number >= least && number <= most ? std::optional(number) : std::nullopt;
}

std::optional<nlohmann::json> integer_from_text(const std::string& text) {
  const auto value = parse_number<std::int64_t>(text);
  return value ? std::optional<nlohmann::json>(*value) : std::nullopt;
}

namespace {

// Of letters, digits, _, - and .
bool is_plain_name(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char letter) {
    return std::isalnum(letter) != 0 || letter == '_' || letter == '-' || letter == '.';
  });
}

}  // namespace

namespace codecs {

Codec<double> number(double least, double most) {
  Codec<double> codec;
  codec.value_name = "X";
  codec.allowed = fmt::format("a number from {} to {}", least, most);
  codec.from_text = [](const std::string& given) {
    const auto value = parse_number<double>(given);
    return value ? std::optional<nlohmann::json>(*value) : std::nullopt;
  };
  codec.read = [least, most](const nlohmann::json& value) -> std::optional<double> {
    if (!value.is_number()) {
      return std::nullopt;
    }
    const auto real = value.get<double>();
    return real >= least && real <= most ? std::optional(real) : std::nullopt;  // false for NaN
  };
  codec.write = [](const double& value) { return nlohmann::json(value); };
  return codec;
}

Codec<bool> switch_value() {
  Codec<bool> codec;
  codec.words = {"true", "false"};
  codec.allowed = join_words(codec.words);
  codec.from_text = [](const std::string& given) -> std::optional<nlohmann::json> {
    if (given != "true" && given != "false") {
      return std::nullopt;
    }
    return given == "true";
  };
  codec.read = [](const nlohmann::json& value) {
    return value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
  };
  codec.write = [](const bool& value) { return nlohmann::json(value); };
  return codec;
}

Codec<std::string> text_or_empty(std::string value_name) {
  Codec<std::string> codec;
  codec.value_name = std::move(value_name);
  codec.allowed = "a line of UTF-8 text";
  codec.from_text = [](const std::string& given) { return nlohmann::json(given); };
  codec.read = [](const nlohmann::json& value) -> std::optional<std::string> {
    if (!value.is_string() || !is_one_line(value.get_ref<const std::string&>())) {
      return std::nullopt;
    }
    return value.get<std::string>();
  };
  codec.write = [](const std::string& value) { return nlohmann::json(value); };
  return codec;
}

Codec<std::string> text(std::string value_name) {
  Codec<std::string> codec = text_or_empty(std::move(value_name));
  codec.allowed += " that is not empty";
  codec.read = [inner = codec.read](const nlohmann::json& value) {
    const auto given = inner(value);
    return given && !given->empty() ? given : std::nullopt;
  };
  return codec;
}

Codec<std::string> word(std::vector<std::string> words, std::string value_name, std::string allowed) {
  Codec<std::string> codec = text(std::move(value_name));
  codec.allowed = allowed.empty() ? join_words(words) : std::move(allowed);
  codec.read = [words](const nlohmann::json& value) -> std::optional<std::string> {
    for (const auto& valid : words) {
      if (value == valid) {
        return valid;
      }
    }
    return std::nullopt;
  };
  codec.words = std::move(words);
  return codec;
}

Codec<std::string> device() {
  constexpr int kMost = 999;
  Codec<std::string> codec =
      word({"auto", "cpu", "cuda"}, "DEVICE", fmt::format("auto, cpu, cuda, or cuda:N with N from 0 to {}", kMost));
  codec.read = [named = codec.read](const nlohmann::json& value) -> std::optional<std::string> {
    if (auto name = named(value)) {
      return name;
    }
    const std::string prefix = "cuda:";
    if (!value.is_string() || !value.get_ref<const std::string&>().starts_with(prefix)) {
      return std::nullopt;
    }
    const auto& given = value.get_ref<const std::string&>();
    const auto number = parse_number<int>(given.substr(prefix.size()));
    const bool fits = number && *number >= 0 && *number <= kMost && given == prefix + std::to_string(*number);
    return fits ? std::optional(given) : std::nullopt;
  };
  return codec;
}

Codec<std::filesystem::path> path() {
  const Codec<std::string> inner = text_or_empty("PATH");
  Codec<std::filesystem::path> codec;
  codec.value_name = inner.value_name;
  codec.allowed = inner.allowed;
  codec.from_text = inner.from_text;
  codec.read = [inner](const nlohmann::json& value) -> std::optional<std::filesystem::path> {
    const auto given = inner.read(value);
    return given ? std::optional<std::filesystem::path>(*given) : std::nullopt;
  };
  codec.write = [](const std::filesystem::path& value) { return nlohmann::json(value.string()); };
  return codec;
}

Codec<std::vector<std::string>> named_paths() {
  Codec<std::vector<std::string>> codec;
  codec.value_name = "NAME=PATH";
  codec.allowed = "NAME=PATH, with a NAME of letters, digits, _, - and . that no other has";
  codec.from_text = [](const std::string& given) {
    return given.empty() ? nlohmann::json::array() : nlohmann::json::array({given});
  };
  codec.read = [](const nlohmann::json& value) -> std::optional<std::vector<std::string>> {
    if (!value.is_array()) {
      return std::nullopt;
    }
    std::set<std::string> names;
    for (const auto& element : value) {
      const std::string text = element.is_string() ? element.get<std::string>() : "";
      const std::size_t equals = text.find('=');
      if (equals == std::string::npos || equals + 1 == text.size() || !is_one_line(text) ||
          !is_plain_name(text.substr(0, equals)) || !names.insert(text.substr(0, equals)).second) {
        return std::nullopt;
      }
    }
    return value.get<std::vector<std::string>>();
  };
  codec.write = [](const std::vector<std::string>& value) { return nlohmann::json(value); };
  return codec;
}

Codec<WorkerCount> worker_count(int most) {
  Codec<WorkerCount> codec;
  codec.value_name = "N|MIN:MAX";
  codec.allowed = fmt::format("an integer from 0 to {0}, or MIN:MAX with 1 to {0} each", most);
  codec.from_text = [](const std::string& given) -> std::optional<nlohmann::json> {
    return given.find(':') == std::string::npos ? integer_from_text(given) : nlohmann::json(given);
  };
  codec.read = [most](const nlohmann::json& value) -> std::optional<WorkerCount> {
    if (const auto number = read_integer(value, 0, most)) {
      return WorkerCount{.least = 1, .most = static_cast<int>(*number)};
    }
    if (!value.is_string()) {
      return std::nullopt;
    }
    const auto& text = value.get_ref<const std::string&>();
    const auto colon = text.find(':');
    if (colon == std::string::npos) {
      return std::nullopt;
    }
    const auto fewest = parse_number<int>(std::string_view(text).substr(0, colon));
    const auto largest = parse_number<int>(std::string_view(text).substr(colon + 1));
    if (!fewest || !largest || *fewest < 1 || *largest < *fewest || *largest > most) {
      return std::nullopt;
    }
    return WorkerCount{.least = *fewest, .most = *largest};
  };
  codec.write = [](const WorkerCount& value) {
    return value.least == 1 ? nlohmann::json(value.most)
                            : nlohmann::json(fmt::format("{}:{}", value.least, value.most));
  };
  return codec;
}

Codec<std::vector<int>> integers(std::size_t fewest, std::size_t largest, int least, int most) {
  Codec<std::vector<int>> codec;
  codec.value_name = "N,N,...";
  codec.allowed = fmt::format("a list of {} to {} integers from {} to {}", fewest, largest, least, most);
  codec.from_text = [](const std::string& given) -> std::optional<nlohmann::json> {
    auto list = nlohmann::json::array();
    for (const auto& part : given.empty() ? std::vector<std::string>() : split_commas(given)) {
      const auto value = integer_from_text(part);
      if (!value) {
        return std::nullopt;
      }
      list.push_back(*value);
    }
    return list;
  };
  codec.read = [=](const nlohmann::json& value) -> std::optional<std::vector<int>> {
    if (!value.is_array() || value.size() < fewest || value.size() > largest) {
      return std::nullopt;
    }
    std::vector<int> list;
    for (const auto& element : value) {
      const auto integer = read_integer(element, least, most);
      if (!integer) {
        return std::nullopt;
      }
      list.push_back(static_cast<int>(*integer));
    }
    return list;
  };
  codec.write = [](const std::vector<int>& value) { return nlohmann::json(value); };
  return codec;
}

}  // namespace codecs
}  // namespace resist
