#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace resist {

// What a piece of text is, which says how it looks where there is colour.
enum class Tone { plain, strong, faint, good, bad, accuracy, loss, compute, wait, sync };

// What a terminal can show.
struct ScreenStyle {
  bool color = false;
  bool unicode = false;  // braille, blocks and box lines; otherwise ASCII
};

// A line of pieces of text, each character one cell wide (printable() sees to that for text from elsewhere).
class StyledLine {
 public:
  StyledLine() = default;
  explicit StyledLine(std::string text, Tone tone = Tone::plain) { add(std::move(text), tone); }

  StyledLine& add(std::string text, Tone tone = Tone::plain);
  StyledLine& add(const StyledLine& other);
  // Spaces up to this many cells.
  StyledLine& pad(int columns);
  int width() const { return width_; }
  // The first `columns` cells, with escape sequences for colour where the style has any.
  std::string text(int columns, const ScreenStyle& style) const;

 private:
  struct Piece {
    std::string text;
    Tone tone;
  };
  std::vector<Piece> pieces_;
  int width_ = 0;
};

// How many characters a UTF-8 text has.
int count_characters(std::string_view text);

// Text of any bytes with a '?' for everything that is not sure to take one cell: control characters, wide and combining
// ones, what is not UTF-8, and without `unicode` all that is not ASCII.
std::string printable(std::string_view text, bool unicode);

}  // namespace resist
