#include "resist/watch/run_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace resist {
namespace {

// Less than this share of a round is no delay worth a word.
constexpr double kWorthAWord = 0.1;
// More than any run has: a record that says so makes no sense.
constexpr double kMostRounds = 1e15;

template <typename Number>
double at_or_zero(const std::vector<Number>& values, std::size_t index) {
  const double value = index < values.size() ? static_cast<double>(values[index]) : 0;
  return std::isfinite(value) ? value : 0;
}

double seconds_of(const RoundRecord& record) {
  return record.seconds_compute + record.seconds_sync;
}

// The last rounds that have as many workers as the last one.
std::span<const RoundRecord> latest(std::span<const RoundRecord> records) {
  const std::size_t workers = records.back().worker_seconds_compute.size();
  std::size_t count = 1;
  while (count < std::min(records.size(), kLatestRounds) &&
         records[records.size() - count - 1].worker_seconds_compute.size() == workers) {
    ++count;
  }
  return records.last(count);
}

std::vector<WorkerFigures> worker_figures(const RunAim& aim, std::span<const RoundRecord> rounds) {
  std::vector<WorkerFigures> workers(rounds.back().worker_seconds_compute.size());
  const auto count = static_cast<double>(rounds.size());
  for (std::size_t i = 0; i < workers.size(); ++i) {
    WorkerFigures& worker = workers[i];
    for (const RoundRecord& record : rounds) {
      worker.seconds_compute += at_or_zero(record.worker_seconds_compute, i) / count;
      worker.seconds_wait += at_or_zero(record.worker_seconds_wait, i) / count;
      worker.seconds_sync += at_or_zero(record.worker_seconds_sync, i) / count;
      worker.bytes_sent += at_or_zero(record.worker_bytes_sent, i) / count;
      worker.bytes_received += at_or_zero(record.worker_bytes_received, i) / count;
    }
    const RoundRecord& last = rounds.back();
    worker.peak_memory_bytes =
        i < last.worker_peak_memory_bytes.size() ? last.worker_peak_memory_bytes[i] : last.peak_memory_bytes;
    const double in_use = worker.seconds_sync + (aim.overlap ? worker.seconds_compute : 0);
    if (in_use > 0) {
      worker.bits_per_second = 8 * std::max(worker.bytes_sent, worker.bytes_received) / in_use;
    }
  }
  return workers;
}

template <typename Value>
int worker_with_most(const std::vector<WorkerFigures>& workers, Value value) {
  const auto most = std::max_element(workers.begin(), workers.end(),
                                     [&](const auto& a, const auto& b) { return value(a) < value(b); });
  return static_cast<int>(std::distance(workers.begin(), most));
}

// The worker that was last to be ready in more than half of the rounds, or -1.
int usually_last(std::span<const RoundRecord> rounds, std::size_t workers) {
  std::vector<std::size_t> times(workers);
  for (const RoundRecord& record : rounds) {
    const auto& compute = record.worker_seconds_compute;
    ++times[static_cast<std::size_t>(std::distance(compute.begin(), std::max_element(compute.begin(), compute.end())))];
  }
  const auto most = std::max_element(times.begin(), times.end());
  return 2 * *most > rounds.size() ? static_cast<int>(std::distance(times.begin(), most)) : -1;
}

void find_delay(RunFigures& figures, std::span<const RoundRecord> rounds) {
  if (figures.workers.size() < 2) {
    return;
  }
  const int last = usually_last(rounds, figures.workers.size());
  figures.slowest =
      last >= 0 ? last
                : worker_with_most(figures.workers, [](const WorkerFigures& worker) { return worker.seconds_compute; });
  if (std::max(figures.wait_share, figures.sync_share) < kWorthAWord) {
    return;
  }
  if (figures.wait_share >= figures.sync_share) {
    figures.delay = last >= 0 ? Delay::compute : Delay::wait;
    return;
  }
  figures.delay = Delay::sync;
  figures.slowest = worker_with_most(figures.workers, [](const WorkerFigures& worker) { return worker.seconds_sync; });
}

// Of the latest rounds: they may be longer than the first ones were.
double samples_per_round(std::span<const RoundRecord> records, std::span<const RoundRecord> rounds) {
  const RoundRecord& first = rounds.front();
  const std::int64_t before = rounds.size() < records.size()
                                  ? records[records.size() - rounds.size() - 1].samples
                                  : first.samples - first.samples / std::max<std::int64_t>(first.round, 1);
  return static_cast<double>(rounds.back().samples - before) / static_cast<double>(rounds.size());
}

void find_progress(RunFigures& figures, const RunAim& aim, std::span<const RoundRecord> records,
                   std::span<const RoundRecord> rounds) {
  const RoundRecord& last = records.back();
  if (aim.rounds > 0) {
    figures.total_rounds = aim.rounds;
    figures.done = static_cast<double>(last.round) / static_cast<double>(aim.rounds);
  } else if (aim.epochs > 0 && last.epoch > 0) {
    figures.done = last.epoch / aim.epochs;
    const double samples_left = static_cast<double>(last.samples) * (1 / figures.done - 1);
    const double rounds_left = samples_left / std::max(1.0, samples_per_round(records, rounds));
    figures.total_rounds = last.round;
    if (rounds_left > 0 && rounds_left < kMostRounds) {
      figures.total_rounds += static_cast<std::int64_t>(std::ceil(rounds_left - 1e-6));
    }
  }
  figures.finished = figures.done >= 1 - 1e-9;
  figures.done = std::clamp(figures.done, 0.0, 1.0);
  if (figures.finished) {
    figures.total_rounds = last.round;
  }
}

// Evaluations are rare, so the latest rounds may have none: they count as in the whole run.
void find_times(RunFigures& figures, std::span<const RoundRecord> records, std::span<const RoundRecord> rounds) {
  double evaluations = 0;
  for (const RoundRecord& record : records) {
    figures.seconds += seconds_of(record) + record.seconds_evaluation;
    evaluations += record.seconds_evaluation / static_cast<double>(records.size());
    figures.bytes_sent += record.bytes_sent;
  }
  double training = 0;
  double waiting = 0;
  double synchronising = 0;
  for (const RoundRecord& record : rounds) {
    training += seconds_of(record);
    waiting += record.seconds_wait;
    synchronising += record.seconds_sync;
  }
  const auto count = static_cast<double>(rounds.size());
  figures.seconds_per_round = training / count + evaluations;
  if (training > 0) {
    figures.wait_share = std::min(1.0, waiting / training);
    figures.sync_share = std::min(1.0, synchronising / training);
    figures.samples_per_second = samples_per_round(records, rounds) * count / training;
  }
  if (figures.total_rounds > 0) {
    figures.seconds_left = static_cast<double>(figures.total_rounds - figures.round) * figures.seconds_per_round;
  }
}

}  // namespace

RunFigures figures_of(const RunAim& aim, std::span<const RoundRecord> records) {
  RunFigures figures;
  if (records.empty()) {
    return figures;
  }
  const RoundRecord& last = records.back();
  const auto rounds = latest(records);
  figures.round = last.round;
  figures.epoch = std::isfinite(last.epoch) ? last.epoch : 0;
  figures.loss = last.loss;
  for (const RoundRecord& record : records) {
    if (!record.accuracy || !std::isfinite(*record.accuracy)) {
      continue;
    }
    figures.accuracy = record.accuracy;
    if (!figures.best_accuracy || *record.accuracy > *figures.best_accuracy) {
      figures.best_accuracy = record.accuracy;
      figures.best_round = record.round;
    }
  }
  find_progress(figures, aim, records, rounds);
  find_times(figures, records, rounds);
  figures.workers = worker_figures(aim, rounds);
  find_delay(figures, rounds);
  return figures;
}

std::string delay_in_words(const RunFigures& figures) {
  if (figures.workers.size() == 1) {
    return "there is one worker only";
  }
  if (figures.slowest < 0) {
    return "not known yet";
  }
  const WorkerFigures& slowest = figures.workers[static_cast<std::size_t>(figures.slowest)];
  std::vector<double> compute;
  for (const WorkerFigures& worker : figures.workers) {
    compute.push_back(worker.seconds_compute);
  }
  std::sort(compute.begin(), compute.end());
  const double median = compute[(compute.size() - 1) / 2];
  const double longer = median > 0 ? slowest.seconds_compute / median - 1 : 0;
  switch (figures.delay) {
    case Delay::compute:
      return fmt::format("worker {} (compute): {:.0f} % above the median; others wait {:.0f} % of a round",
                         figures.slowest, 100 * longer, 100 * figures.wait_share);
    case Delay::wait:
      return fmt::format("another one each round (wait): {:.0f} % of a round; are cores shared?",
                         100 * figures.wait_share);
    case Delay::sync:
      return fmt::format("worker {} (sync): {:.0f} % of a round; try --compress int6 or --overlap", figures.slowest,
                         100 * figures.sync_share);
    case Delay::none:
      break;
  }
  return fmt::format("worker {}, by {:.0f} % only; computing is {:.0f} % of a round", figures.slowest,
                     std::max(0.0, 100 * longer), 100 * (1 - figures.sync_share));
}

}  // namespace resist
