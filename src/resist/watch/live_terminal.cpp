#include "resist/watch/live_terminal.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace resist {
namespace {

// Set by handlers, read by wait(). A signal that comes just before its poll() waits for that to end: wait() is called
// with well below a second.
volatile std::sig_atomic_t told_to_end = 0;
volatile std::sig_atomic_t told_to_stop = 0;

extern "C" void on_end(int /*signal*/) {
  told_to_end = 1;
}
extern "C" void on_stop(int /*signal*/) {
  told_to_stop = 1;
}
// Only ends the wait: a resized terminal is drawn anew, and a closed pipe shows in the next write. (SIG_IGN would be
// inherited by programs that this one starts.)
extern "C" void on_other(int /*signal*/) {
}

struct Handled {
  int signal;
  void (*handler)(int);
};
constexpr std::array<Handled, 7> kHandled = {{{SIGINT, &on_end},
                                              {SIGTERM, &on_end},
                                              {SIGHUP, &on_end},
                                              {SIGQUIT, &on_end},
                                              {SIGTSTP, &on_stop},
                                              {SIGWINCH, &on_other},
                                              {SIGPIPE, &on_other}}};

// The second screen, no cursor, no wrapping of long lines; and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

bool write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EAGAIN) {
      pollfd ready{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
      ::poll(&ready, 1, 1000);
      continue;
    }
    if (written < 0 && errno == EINTR && told_to_end == 0) {
      continue;
    }
    if (written <= 0) {
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

int columns_or_rows(const char* variable, int otherwise) {
  const char* value = std::getenv(variable);
  const int number = value != nullptr ? std::atoi(value) : 0;
  return number > 0 ? number : otherwise;
}

}  // namespace

struct LiveTerminal::Saved {
  bool keys = false;  // standard input is a terminal
  termios settings{};
  std::array<struct sigaction, kHandled.size()> actions{};
};

LiveTerminal::LiveTerminal() : saved_(std::make_unique<Saved>()) {
  told_to_end = 0;
  told_to_stop = 0;
  saved_->keys = ::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &saved_->settings) == 0;
  for (std::size_t i = 0; i < kHandled.size(); ++i) {
    struct sigaction action {};
    action.sa_handler = kHandled[i].handler;  // without SA_RESTART: a signal ends the wait
    ::sigaction(kHandled[i].signal, &action, &saved_->actions[i]);
  }
  enter();
}

LiveTerminal::~LiveTerminal() {
  leave();
  for (std::size_t i = 0; i < kHandled.size(); ++i) {
    ::sigaction(kHandled[i].signal, &saved_->actions[i], nullptr);
  }
}

void LiveTerminal::enter() {
  if (saved_->keys) {
    termios settings = saved_->settings;
    settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &settings);
  }
  write_all(kEnter);
  all_anew_ = true;
}

void LiveTerminal::leave() {
  write_all(kLeave);
  if (saved_->keys) {
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_->settings);
  }
}

ScreenSize LiveTerminal::size() const {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    return {.columns = size.ws_col, .rows = size.ws_row};
  }
  return {.columns = columns_or_rows("COLUMNS", 80), .rows = columns_or_rows("LINES", 24)};
}

bool LiveTerminal::show(const std::vector<std::string>& lines, ScreenSize size) {
  all_anew_ = all_anew_ || size.columns != drawn_.columns || size.rows != drawn_.rows;
  drawn_ = size;
  std::string text = all_anew_ ? "\x1b[2J" : "";
  if (all_anew_) {
    shown_.clear();
  }
  for (std::size_t row = 0; row < std::max(lines.size(), shown_.size()); ++row) {
    const std::string& line = row < lines.size() ? lines[row] : "";
    if (all_anew_ || row >= shown_.size() || line != shown_[row]) {
      text += fmt::format("\x1b[{};1H{}\x1b[K", row + 1, line);
    }
  }
  shown_ = lines;
  all_anew_ = false;
  return text.empty() || write_all(text);
}

bool LiveTerminal::wait(std::chrono::milliseconds longest) {
  if (told_to_end == 0 && told_to_stop == 0) {
    pollfd keys{.fd = saved_->keys ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0};
    if (::poll(&keys, 1, static_cast<int>(longest.count())) > 0) {
      char key = 0;
      const ssize_t count = ::read(STDIN_FILENO, &key, 1);
      constexpr char kControlC = 3;
      constexpr char kControlD = 4;
      if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN) ||
          (count > 0 && (key == 'q' || key == 'Q' || key == kControlC || key == kControlD))) {
        return false;
      }
    }
  }
  if (told_to_stop != 0) {
    told_to_stop = 0;
    leave();
    ::raise(SIGSTOP);  // goes on here when the shell continues this process
    enter();
  }
  return told_to_end == 0;
}

}  // namespace resist
