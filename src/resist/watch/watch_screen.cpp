#include "resist/watch/watch_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <utility>

#include "resist/core/counted.h"
#include "resist/watch/curve_panel.h"
#include "resist/watch/worker_table.h"

namespace resist {
namespace {

using Lines = std::vector<StyledLine>;

constexpr const char* kKeys = "q ends";

StyledLine state_line(RunState state) {
  switch (state) {
    case RunState::starting:
      return StyledLine("starting", Tone::good);
    case RunState::running:
      return StyledLine("running", Tone::good);
    case RunState::finishing:
      return StyledLine("finishing", Tone::good);
    case RunState::ended:
      return StyledLine("ended", Tone::strong);
    case RunState::interrupted:
      return StyledLine("interrupted", Tone::bad);
    case RunState::elsewhere:
      return StyledLine("running elsewhere", Tone::good);
  }
  return {};
}

std::string duration(double seconds) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  const auto whole = static_cast<std::int64_t>(seconds > 0 ? std::ceil(std::min(seconds, 1e12)) : 0);  // NaN: 0
  if (whole < kMinute) {
    return fmt::format("{}s", whole);
  }
  if (whole < kHour) {
    return fmt::format("{}m{:02}s", whole / kMinute, whole % kMinute);
  }
  if (whole < kDay) {
    return fmt::format("{}h{:02}m", whole / kHour, whole % kHour / kMinute);
  }
  return fmt::format("{}d{:02}h", whole / kDay, whole % kDay / kHour);
}

StyledLine title_line(const WatchedRun& run, int columns, const ScreenStyle& style) {
  const StyledLine state = state_line(run.state);
  std::string name = printable(run.name, style.unicode);
  // The end of a path says more than its beginning; the state must be seen.
  constexpr int kLeastName = 8;
  const int room = std::max(columns - state.width() - 2, kLeastName);
  if (count_characters(name) > room) {
    while (count_characters(name) > room - 3) {
      std::size_t bytes = 1;
      while (bytes < name.size() && (static_cast<unsigned char>(name[bytes]) & 0xC0U) == 0x80U) {
        ++bytes;
      }
      name.erase(0, bytes);
    }
    name.insert(0, "...");
  }
  StyledLine line(name, Tone::strong);
  return line.pad(std::max(columns - state.width(), line.width() + 2)).add(state);
}

StyledLine aim_line(const WatchedRun& run, const RunFigures& figures, const ScreenStyle& style) {
  const RunAim& aim = run.aim;
  std::string text = printable(aim.method, style.unicode);
  if (!figures.workers.empty()) {
    text += ", " + counted(std::ssize(figures.workers), "worker");
  }
  return StyledLine(
      fmt::format("{}, {} on {}", text, printable(aim.model, style.unicode), printable(aim.data, style.unicode)));
}

StyledLine progress_line(const RunAim& aim, const RunFigures& figures, int columns, const ScreenStyle& style) {
  std::string text = fmt::format("round {}", figures.round);
  if (figures.total_rounds > 0) {
    text += fmt::format(" of {}{}", aim.rounds > 0 || figures.finished ? "" : "about ", figures.total_rounds);
  }
  text += fmt::format("  epoch {:.2f}", figures.epoch);
  if (aim.rounds == 0) {
    text += fmt::format(" of {:g}", aim.epochs);
  }
  if (figures.seconds_left && !figures.finished) {
    text += fmt::format("  {} left", duration(*figures.seconds_left));
  }
  constexpr int kShortest = 5;
  constexpr int kLongest = 40;
  const int length = std::min(kLongest, columns - static_cast<int>(text.size()) - 4);
  StyledLine line;
  if (length >= kShortest) {
    const auto filled = static_cast<std::size_t>(figures.done * length);
    std::string full;
    for (std::size_t i = 0; i < filled; ++i) {
      full += style.unicode ? "\u2588" : "#";
    }
    const std::string rest(static_cast<std::size_t>(length) - filled, style.unicode ? ' ' : '-');
    line.add("[").add(full, Tone::good).add(rest, Tone::faint).add("]  ");
  }
  return line.add(text);
}

StyledLine result_line(const RunFigures& figures) {
  StyledLine line;
  line.add(std::isfinite(figures.loss) ? fmt::format("loss {:.4f}", figures.loss) : "loss is not finite", Tone::loss);
  if (figures.accuracy) {
    line.add("  ").add(fmt::format("accuracy {:.2f} %", 100 * *figures.accuracy), Tone::accuracy);
    if (*figures.best_accuracy > *figures.accuracy) {
      line.add(fmt::format(" (best {:.2f} % in round {})", 100 * *figures.best_accuracy, figures.best_round));
    }
  }
  if (figures.samples_per_second > 0) {
    line.add(fmt::format("  {:.0f} samples/s", figures.samples_per_second));
  }
  return line;
}

StyledLine link_line(const RunAim& aim, const RunFigures& figures) {
  StyledLine line("link: ", Tone::faint);
  if (figures.workers.size() < 2) {
    return line.add("not used");
  }
  double most = 0;
  double rate = 0;
  for (const WorkerFigures& worker : figures.workers) {
    most = std::max({most, worker.bytes_sent, worker.bytes_received});
    rate = std::max(rate, worker.bits_per_second);
  }
  return line.add(fmt::format("{} a round at {}, busy {} of the time; {} sent in all", bytes_in_words(most),
                              rate_in_words(rate),
                              aim.overlap ? "most" : fmt::format("{:.0f} %", 100 * figures.sync_share),
                              bytes_in_words(static_cast<double>(figures.bytes_sent))));
}

// The last line: what is wrong, or how long ago something happened.
StyledLine foot_line(const WatchedRun& run, const RunFigures& figures, const ScreenStyle& style) {
  if (!run.problem.empty()) {
    return StyledLine(printable(run.problem, style.unicode), Tone::bad);
  }
  if (run.state == RunState::interrupted) {
    return StyledLine(fmt::format("go on: resist train --resume {}", printable(run.name, style.unicode)), Tone::bad);
  }
  if (run.state == RunState::finishing) {
    return StyledLine("all rounds are done; computing running statistics", Tone::faint);
  }
  const std::string trained = fmt::format("{} of training", duration(figures.seconds));
  if (run.state == RunState::ended || !run.seconds_silent) {
    return StyledLine(trained, Tone::faint);
  }
  // A checkpoint and an evaluation may come between two rounds; far more than that is worth a colour.
  constexpr double kPatience = 5;
  constexpr double kLeastPatience = 20;
  if (figures.round > 0 && *run.seconds_silent > std::max(kPatience * figures.seconds_per_round, kLeastPatience)) {
    return StyledLine(fmt::format("no round for {}; one takes {}", duration(*run.seconds_silent),
                                  duration(figures.seconds_per_round)),
                      Tone::bad);
  }
  const std::string ago = duration(*run.seconds_silent);
  return StyledLine(
      figures.round > 0 ? fmt::format("{}, the last round {} ago", trained, ago) : fmt::format("started {} ago", ago),
      Tone::faint);
}

StyledLine with_keys(StyledLine line, int columns) {
  const int keys = count_characters(kKeys);
  if (line.width() + 2 + keys <= columns) {
    line.pad(columns - keys).add(kKeys, Tone::faint);
  }
  return line;
}

Lines header_lines(const WatchedRun& run, const RunFigures& figures, int columns, const ScreenStyle& style) {
  Lines lines = {title_line(run, columns, style), aim_line(run, figures, style)};
  if (figures.round > 0) {
    lines.push_back(progress_line(run.aim, figures, columns, style));
    lines.push_back(result_line(figures));
  }
  return lines;
}

Lines verdict_lines(const WatchedRun& run, const RunFigures& figures) {
  if (figures.round == 0) {
    return {};
  }
  StyledLine slowest("slowest: ", Tone::faint);
  slowest.add(delay_in_words(figures));
  return {slowest, link_line(run.aim, figures)};
}

CurvePanel loss_panel(const WatchedRun& run) {
  CurvePanel panel{.title = "loss", .tone = Tone::loss};
  for (const RoundRecord& record : run.records) {
    panel.points.push_back({.x = static_cast<double>(record.round), .y = record.loss});
  }
  return panel;
}

CurvePanel accuracy_panel(const WatchedRun& run) {
  CurvePanel panel{.title = "accuracy %", .tone = Tone::accuracy};
  for (const RoundRecord& record : run.records) {
    if (record.accuracy) {
      panel.points.push_back({.x = static_cast<double>(record.round), .y = 100 * *record.accuracy});
    }
  }
  panel.instead = run.aim.eval_every > 0 ? "not evaluated yet" : "only at the end: --eval-every is 0";
  return panel;
}

// Side by side where both get room enough, otherwise accuracy above loss, otherwise what there is room for.
Lines curve_lines(const WatchedRun& run, ScreenSize size, const ScreenStyle& style) {
  constexpr int kLeastColumns = 32;
  constexpr int kGap = 2;
  const auto [first, last] = std::pair(run.records.front().round, run.records.back().round);
  CurvePanel accuracy = accuracy_panel(run);
  CurvePanel loss = loss_panel(run);
  for (CurvePanel* panel : {&accuracy, &loss}) {
    panel->first_round = first;
    panel->last_round = last;
  }
  if (size.rows < kLeastPanelRows || size.columns < kLeastPanelColumns) {
    return {};
  }
  if (size.columns >= 2 * kLeastColumns + kGap) {
    const int left = (size.columns - kGap) / 2;
    Lines lines = panel_lines(accuracy, left, size.rows, style);
    const Lines right = panel_lines(loss, size.columns - kGap - left, size.rows, style);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      lines[i].pad(left + kGap).add(right[i]);
    }
    return lines;
  }
  if (size.rows >= 2 * kLeastPanelRows && !accuracy.points.empty()) {
    Lines lines = panel_lines(accuracy, size.columns, size.rows / 2, style);
    std::ranges::move(panel_lines(loss, size.columns, size.rows - size.rows / 2, style), std::back_inserter(lines));
    return lines;
  }
  return panel_lines(accuracy.points.empty() ? loss : accuracy, size.columns, size.rows, style);
}

void append(Lines& lines, Lines more) {
  std::ranges::move(more, std::back_inserter(lines));
}

// Curves and the table of workers, on that many rows.
Lines body_lines(const WatchedRun& run, const RunFigures& figures, ScreenSize size, const ScreenStyle& style) {
  Lines lines;
  if (figures.round == 0 || size.rows <= 0) {
    return lines;
  }
  const int workers = static_cast<int>(figures.workers.size());
  const bool roomy = size.rows >= kLeastPanelRows + kLeastTableRows + 3;
  // A blank line before the curves, the table and what follows it.
  const int blanks = roomy ? 3 : 0;
  int for_table = std::min(workers + 1, std::max(kLeastTableRows, (size.rows - blanks) / 2));
  int for_curves = size.rows - blanks - for_table;
  if (for_curves < kLeastPanelRows || size.columns < kLeastPanelColumns) {
    for_curves = 0;
    for_table = std::min(workers + 1, size.rows - blanks);
  }
  const Lines curves = curve_lines(run, {.columns = size.columns, .rows = for_curves}, style);
  if (roomy) {
    lines.emplace_back();
  }
  append(lines, curves);
  if (roomy && !curves.empty()) {
    lines.emplace_back();
  }
  append(lines, worker_table(figures, size.columns, for_table, style));
  if (roomy) {
    lines.emplace_back();
  }
  return lines;
}

}  // namespace

std::vector<std::string> watch_screen(const WatchedRun& run, ScreenSize size, const ScreenStyle& style) {
  const RunFigures figures = figures_of(run.aim, run.records);
  Lines lines = header_lines(run, figures, size.columns, style);
  Lines end = verdict_lines(run, figures);
  end.push_back(with_keys(foot_line(run, figures, style), size.columns));
  const int taken = static_cast<int>(lines.size() + end.size());
  append(lines, body_lines(run, figures, {.columns = size.columns, .rows = size.rows - taken}, style));
  append(lines, std::move(end));
  lines.resize(std::min(lines.size(), static_cast<std::size_t>(std::max(size.rows, 0))));
  std::vector<std::string> texts;
  texts.reserve(lines.size());
  for (const StyledLine& line : lines) {
    texts.push_back(line.text(std::max(size.columns, 0), style));
  }
  return texts;
}

std::vector<std::string> watch_summary(const WatchedRun& run) {
  constexpr int kColumns = 100;
  constexpr int kUncut = 100'000;
  const ScreenStyle style;
  const RunFigures figures = figures_of(run.aim, run.records);
  Lines lines = {StyledLine(printable(run.name, style.unicode)).add(": ").add(state_line(run.state))};
  const Lines header = header_lines(run, figures, kColumns, style);
  lines.insert(lines.end(), header.begin() + 1, header.end());
  append(lines, worker_table(figures, kColumns, static_cast<int>(figures.workers.size()) + 1, style));
  append(lines, verdict_lines(run, figures));
  lines.push_back(foot_line(run, figures, style));
  std::vector<std::string> texts;
  for (const StyledLine& line : lines) {
    if (line.width() > 0) {
      texts.push_back(line.text(kUncut, style));
    }
  }
  return texts;
}

}  // namespace resist
