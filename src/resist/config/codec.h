#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "resist/config/enum_words.h"

namespace resist {

// The three forms of one kind of value: text (flags), JSON (also stands for TOML) and C++, with its bounds.
template <typename T>
struct Codec {
  std::string value_name;          // shown after the flag in --help; empty: a switch
  std::string allowed;             // completes "it must be ..."
  std::vector<std::string> words;  // the valid words, where only words are valid
  std::function<std::optional<nlohmann::json>(const std::string&)> from_text;  // nothing: malformed
  std::function<std::optional<T>(const nlohmann::json&)> read;                 // nothing: wrong type or out of bounds
  std::function<nlohmann::json(const T&)> write;
};

// "a, b or c"
std::string join_words(const std::vector<std::string>& words);
// The value as a flag would give it: words bare, lists with commas.
std::string to_text(const nlohmann::json& value);
// The same for messages: one line, printable, quoted if it is a text, cut if long.
std::string shown(const nlohmann::json& value);
// Valid UTF-8 without control characters, so it fits on a line of any file.
bool is_one_line(const std::string& text);

// Throws InputError "NAME is VALUE; it must be ALLOWED", with the nearest of `words`. `got` is text or JSON.
[[noreturn]] void refuse(const std::string& name, const nlohmann::json& got, const std::string& allowed,
                         const std::vector<std::string>& words);

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::vector<std::string> split_commas(const std::string& text);
std::optional<std::int64_t> read_integer(const nlohmann::json& value, std::int64_t least, std::int64_t most);
std::optional<nlohmann::json> integer_from_text(const std::string& text);

// How each kind of value is made.
namespace codecs {

// An integer type or std::chrono::seconds.
template <typename T>
Codec<T> integer(std::int64_t least, std::int64_t most) {
  Codec<T> codec;
  codec.value_name = std::is_integral_v<T> ? "N" : "SECONDS";
  codec.allowed = "an integer from " + std::to_string(least) + " to " + std::to_string(most);
  codec.from_text = integer_from_text;
  codec.read = [least, most](const nlohmann::json& value) -> std::optional<T> {
    const auto number = read_integer(value, least, most);
    return number ? std::optional<T>(static_cast<T>(*number)) : std::nullopt;
  };
  codec.write = [](const T& value) -> nlohmann::json {
    if constexpr (std::is_integral_v<T>) {
      return static_cast<std::int64_t>(value);
    } else {
      return static_cast<std::int64_t>(value.count());
    }
  };
  return codec;
}

// A finite number.
Codec<double> number(double least, double most);
Codec<bool> switch_value();
// One of the words. `allowed` replaces their list in messages where that is long.
Codec<std::string> word(std::vector<std::string> words, std::string value_name, std::string allowed = "");
// auto, cpu, cuda, or the number of a GPU: cuda:0.
Codec<std::string> device();
Codec<std::string> text(std::string value_name);
// A path; empty means the default.
Codec<std::filesystem::path> path();
// A text that may be empty, which means the default.
Codec<std::string> text_or_empty(std::string value_name);
// Any number of NAME=PATH, NAME of letters, digits, _, - and ., each name once. A flag gives one at a
// time, or with an empty text none.
Codec<std::vector<std::string>> named_paths();
// N, which is 1:N, or MIN:MAX; N up to `most`, 0 as the launcher says.
Codec<WorkerCount> worker_count(int most);
// From `fewest` to `largest` integers, each within its bounds.
Codec<std::vector<int>> integers(std::size_t fewest, std::size_t largest, int least, int most);

template <typename Enum>
Codec<Enum> choice() {
  Codec<Enum> codec;
  codec.value_name = "WORD";
  for (const auto& entry : kWords<Enum>) {
    codec.words.emplace_back(entry.text);
  }
  codec.allowed = join_words(codec.words);
  codec.from_text = [](const std::string& given) { return nlohmann::json(given); };
  codec.read = [](const nlohmann::json& value) {
    return value.is_string() ? from_word<Enum>(value.get_ref<const std::string&>()) : std::nullopt;
  };
  codec.write = [](const Enum& value) { return nlohmann::json(to_word(value)); };
  return codec;
}

// The same kind of value, or "auto": unset.
template <typename T>
Codec<std::optional<T>> or_auto(const Codec<T>& inner) {
  Codec<std::optional<T>> codec;
  codec.value_name = inner.value_name;
  codec.words = inner.words;
  if (codec.words.empty()) {
    codec.allowed = inner.allowed + ", or auto";
  } else {
    codec.words.emplace_back("auto");
    codec.allowed = join_words(codec.words);
  }
  codec.from_text = [inner](const std::string& given) {
    return given == "auto" ? std::optional<nlohmann::json>("auto") : inner.from_text(given);
  };
  codec.read = [inner](const nlohmann::json& value) -> std::optional<std::optional<T>> {
    if (value == "auto") {
      return std::optional<T>();
    }
    const auto set = inner.read(value);
    return set ? std::optional<std::optional<T>>(set) : std::nullopt;
  };
  codec.write = [inner](const std::optional<T>& value) { return value ? inner.write(*value) : nlohmann::json("auto"); };
  return codec;
}

}  // namespace codecs

// The value of `name` given as text; InputError as refuse() words it.
template <typename T>
T parse_value(const Codec<T>& codec, const std::string& name, const std::string& given) {
  const auto json = codec.from_text(given);
  const auto value = json ? codec.read(*json) : std::nullopt;
  if (!value) {
    refuse(name, given, codec.allowed, codec.words);
  }
  return *value;
}

}  // namespace resist
