#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace resist {

// The word closest to `word` by edit distance (insert, delete, replace, swap neighbours), where a beginning of a
// candidate counts as one edit; the first of equals; nothing
// where even the closest is too far away to be what was meant.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& words);

// "; did you mean 'PREFIXnearest'?", or `otherwise` where there is no near word.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& words, std::string_view prefix = "",
                         std::string_view otherwise = "");

}  // namespace resist
