#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace resist {

// The fields of one JSON object that was read from a file. Every InputError names the file and the key.
class JsonFields {
 public:
  // `object` must outlive this. InputError if it is no object.
  JsonFields(const nlohmann::json& object, std::string file);

  bool has(const char* key) const;
  const nlohmann::json& at(const char* key) const;
  std::int64_t whole(const char* key, std::int64_t least = 0,
                     std::int64_t most = std::numeric_limits<std::int64_t>::max()) const;
  std::string text(const char* key) const;
  std::vector<std::int64_t> wholes(const char* key) const;  // none below 0
  std::vector<double> numbers(const char* key) const;
  std::vector<std::vector<double>> number_lists(const char* key) const;
  std::vector<std::string> texts(const char* key) const;

  [[noreturn]] void refuse(const char* key, const std::string& reason) const;

 private:
  // The elements of a list whose elements all pass `is_right`.
  const nlohmann::json& list(const char* key, bool (nlohmann::json::*is_right)() const, const char* of_what) const;

  const nlohmann::json& object_;
  std::string file_;
};

}  // namespace resist
