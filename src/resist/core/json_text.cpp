#include "resist/core/json_text.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "resist/core/error.h"

namespace resist {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 64;

}  // namespace

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMaxLength = 80;
  const bool cut = text.size() > kMaxLength;
  std::string result =
      json(std::string(text.substr(0, kMaxLength))).dump(-1, ' ', true, json::error_handler_t::replace);
  return cut ? result + "..." : result;
}

json parse_strict_json(std::string_view text, std::string_view file) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
    using Event = json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= kMaxDepth) {
        throw InputError(fmt::format("'{}' is damaged: its JSON is nested deeper than {}", file, kMaxDepth));
      }
    }
    if (event == Event::object_start) {
      keys.emplace_back();
    } else if (event == Event::object_end) {
      keys.pop_back();
    } else if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw InputError(
          fmt::format("'{}' is damaged: the key {} appears twice", file, in_quotes(parsed.get<std::string>())));
    }
    return true;
  };
  try {
    return json::parse(text, check);
  } catch (const json::parse_error& error) {
    throw InputError(fmt::format("'{}' is damaged: not valid JSON at byte {}", file, error.byte));
  } catch (const json::exception&) {
    throw InputError(fmt::format("'{}' is damaged: its JSON holds a number that is too large", file));
  }
}

}  // namespace resist
