#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "resist/watch/watch_screen.h"

namespace resist {

// The terminal while a screen is shown on it: its second screen, no cursor, keys read one by one. The destructor puts
// everything back, and so does being stopped (Ctrl-Z) or ended by a signal. One at a time, since signals are the
// process's. Writes to standard output, reads keys from standard input where that is a terminal.
class LiveTerminal {
 public:
  LiveTerminal();
  ~LiveTerminal();
  LiveTerminal(const LiveTerminal&) = delete;
  LiveTerminal& operator=(const LiveTerminal&) = delete;

  // As it is now.
  ScreenSize size() const;
  // Writes the lines that differ from what was shown, or all where the size does. False when the terminal is gone.
  bool show(const std::vector<std::string>& lines, ScreenSize size);
  // Waits for something to do, at most this long: false once the user wants to end (q, Ctrl-C, Ctrl-D or a signal).
  bool wait(std::chrono::milliseconds longest);

 private:
  struct Saved;
  void enter();
  void leave();

  std::unique_ptr<Saved> saved_;
  std::vector<std::string> shown_;
  ScreenSize drawn_;      // the terminal's when they were
  bool all_anew_ = true;  // the screen holds something else
};

}  // namespace resist
