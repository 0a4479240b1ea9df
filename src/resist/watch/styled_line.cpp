#include "resist/watch/styled_line.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace resist {
namespace {

constexpr const char* kPlain = "\x1b[0m";

const char* escape_of(Tone tone) {
  switch (tone) {
    case Tone::strong:
      return "\x1b[1m";
    case Tone::faint:
      return "\x1b[2m";
    case Tone::good:
    case Tone::accuracy:
      return "\x1b[32m";
    case Tone::bad:
    case Tone::wait:
      return "\x1b[31m";
    case Tone::loss:
      return "\x1b[33m";
    case Tone::compute:
      return "\x1b[36m";
    case Tone::sync:
      return "\x1b[35m";
    case Tone::plain:
      break;
  }
  return "";
}

bool continues(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

// The bytes of the first `characters` of a UTF-8 text.
std::size_t bytes_of(std::string_view text, int characters) {
  std::size_t end = 0;
  while (end < text.size() && (continues(text[end]) || characters-- > 0)) {
    ++end;
  }
  return end;
}

struct Character {
  std::uint32_t code;
  std::size_t bytes;
};

// The character of two or three bytes that `text` begins with; nothing where it is another one or malformed.
std::optional<Character> read_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t bytes = (first & 0xE0U) == 0xC0U ? 2 : (first & 0xF0U) == 0xE0U ? 3 : 0;
  if (bytes == 0 || text.size() < bytes) {
    return std::nullopt;
  }
  std::uint32_t code = first & (bytes == 2 ? 0x1FU : 0x0FU);
  for (std::size_t i = 1; i < bytes; ++i) {
    if (!continues(text[i])) {
      return std::nullopt;
    }
    code = code << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  return Character{.code = code, .bytes = bytes};
}

// Latin, Greek and Cyrillic letters: nothing of these is wide or combines.
bool takes_one_cell(std::uint32_t code) {
  return (code >= 0xA0 && code != 0xAD && code < 0x300) || (code >= 0x370 && code < 0x483) ||
         (code >= 0x48A && code < 0x530);
}

}  // namespace

StyledLine& StyledLine::add(std::string text, Tone tone) {
  width_ += count_characters(text);
  pieces_.push_back({.text = std::move(text), .tone = tone});
  return *this;
}

StyledLine& StyledLine::add(const StyledLine& other) {
  pieces_.insert(pieces_.end(), other.pieces_.begin(), other.pieces_.end());
  width_ += other.width_;
  return *this;
}

StyledLine& StyledLine::pad(int columns) {
  if (columns > width_) {
    add(std::string(static_cast<std::size_t>(columns - width_), ' '));
  }
  return *this;
}

std::string StyledLine::text(int columns, const ScreenStyle& style) const {
  std::string result;
  for (const Piece& piece : pieces_) {
    const std::string_view part = std::string_view(piece.text).substr(0, bytes_of(piece.text, columns));
    columns -= count_characters(part);
    const std::string_view escape = style.color ? escape_of(piece.tone) : "";
    result += escape;
    result += part;
    result += escape.empty() ? "" : kPlain;
  }
  return result;
}

int count_characters(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char byte) { return !continues(byte); }));
}

std::string printable(std::string_view text, bool unicode) {
  std::string result;
  while (!text.empty()) {
    std::size_t bytes = 1;
    const auto first = static_cast<unsigned char>(text.front());
    if (first >= 0x20 && first < 0x7F) {
      result += text.front();
    } else if (const auto character = read_character(text); character && unicode && takes_one_cell(character->code)) {
      bytes = character->bytes;
      result += text.substr(0, bytes);
    } else {
      // One for a character, not one for each of its bytes.
      while (first >= 0xC0 && bytes < text.size() && continues(text[bytes])) {
        ++bytes;
      }
      result += '?';
    }
    text.remove_prefix(bytes);
  }
  return result;
}

}  // namespace resist
