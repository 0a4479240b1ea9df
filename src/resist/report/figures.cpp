#include "resist/report/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

namespace resist {
namespace {

using Value = std::optional<double>;

double finite(double value) {
  return std::isfinite(value) ? std::max(value, 0.0) : 0.0;
}

Value if_finite(Value value) {
  return value && std::isfinite(*value) ? value : std::nullopt;
}

// The sum of what a function says of each round.
template <typename Term>
double sum(const RunHistory& run, Term term) {
  double total = 0;
  for (const RoundRecord& record : run.records) {
    total += term(record);
  }
  return total;
}

const RoundRecord* last_evaluated(const RunHistory& run) {
  const auto last = std::find_if(run.records.rbegin(), run.records.rend(),
                                 [](const RoundRecord& r) { return r.accuracy.has_value(); });
  return last == run.records.rend() ? nullptr : &*last;
}

Value best_accuracy(const RunHistory& run) {
  Value best;
  for (const RoundRecord& record : run.records) {
    const Value accuracy = if_finite(record.accuracy);
    if (accuracy && (!best || *accuracy > *best)) {
      best = accuracy;
    }
  }
  return best;
}

// The accuracy that every evaluated run reached; unset unless there are two.
Value common_accuracy(const std::vector<RunHistory>& runs) {
  Value common;
  int evaluated = 0;
  for (const RunHistory& run : runs) {
    if (const Value best = best_accuracy(run)) {
      common = common ? std::min(*common, *best) : *best;
      ++evaluated;
    }
  }
  return evaluated > 1 ? common : std::nullopt;
}

// The sum of a function's terms up to the first round that was evaluated to at least `accuracy`.
template <typename Term>
Value sum_until(const RunHistory& run, double accuracy, Term term) {
  double total = 0;
  for (const RoundRecord& record : run.records) {
    total += term(record);
    if (record.accuracy && *record.accuracy >= accuracy) {
      return total;
    }
  }
  return std::nullopt;
}

double training_seconds(const RoundRecord& record) {
  return finite(record.seconds_compute) + finite(record.seconds_sync);
}

double largest_worker_bytes(const RunHistory& run) {
  std::vector<double> bytes;
  for (const RoundRecord& record : run.records) {
    bytes.resize(std::max(bytes.size(), record.worker_bytes_sent.size()));
    for (std::size_t worker = 0; worker < record.worker_bytes_sent.size(); ++worker) {
      bytes[worker] += finite(static_cast<double>(record.worker_bytes_sent[worker]));
    }
  }
  return bytes.empty() ? 0 : *std::max_element(bytes.begin(), bytes.end());
}

class Figures {
 public:
  explicit Figures(const std::vector<RunHistory>& runs) : runs_(runs) {}

  // value(run) is asked for runs that have a round, and gives a number or nothing.
  template <typename Function>
  void add(std::string label, FigureKind kind, Function value, std::string explanation = "") {
    Figure figure{.label = std::move(label), .kind = kind, .explanation = std::move(explanation)};
    for (const RunHistory& run : runs_) {
      figure.values.push_back(run.records.empty() ? std::nullopt : if_finite(value(run)));
    }
    if (std::any_of(figure.values.begin(), figure.values.end(), [](const Value& v) { return v.has_value(); })) {
      figures_.push_back(std::move(figure));
    }
  }
  std::vector<Figure> take() { return std::move(figures_); }

 private:
  const std::vector<RunHistory>& runs_;
  std::vector<Figure> figures_;
};

void add_results(Figures& figures, const std::vector<RunHistory>& runs) {
  const auto add_last = [&](const std::string& label, FigureKind kind, Value RoundRecord::*field) {
    figures.add(label, kind, [field](const RunHistory& run) {
      const RoundRecord* record = last_evaluated(run);
      return record != nullptr ? record->*field : std::nullopt;
    });
  };
  add_last("accuracy", FigureKind::share, &RoundRecord::accuracy);
  figures.add("best accuracy", FigureKind::share, best_accuracy);
  add_last("top-5 accuracy", FigureKind::share, &RoundRecord::top5_accuracy);
  add_last("test loss", FigureKind::number, &RoundRecord::test_loss);
  figures.add(
      "training loss", FigureKind::number, [](const RunHistory& run) { return Value(run.records.back().loss); },
      "mean over the last round's iterations and workers");
  std::vector<std::string> names;  // of further test sets, in the order in which runs name them
  for (const RunHistory& run : runs) {
    if (const RoundRecord* record = last_evaluated(run)) {
      for (const FurtherResult& further : record->further) {
        if (std::count(names.begin(), names.end(), further.name) == 0) {
          names.push_back(further.name);
        }
      }
    }
  }
  for (const std::string& name : names) {
    figures.add("accuracy on " + name, FigureKind::share, [&name](const RunHistory& run) {
      Value accuracy;
      if (const RoundRecord* record = last_evaluated(run)) {
        for (const FurtherResult& further : record->further) {
          accuracy = further.name == name ? further.accuracy : accuracy;
        }
      }
      return accuracy;
    });
  }
}

void add_costs(Figures& figures) {
  figures.add("rounds", FigureKind::count,
              [](const RunHistory& run) { return Value(static_cast<double>(run.records.back().round)); });
  figures.add(
      "epochs", FigureKind::number, [](const RunHistory& run) { return Value(run.records.back().epoch); },
      "passes over the training set by all workers together");
  figures.add("samples", FigureKind::count,
              [](const RunHistory& run) { return Value(static_cast<double>(run.records.back().samples)); });
  figures.add(
      "time", FigureKind::seconds, [](const RunHistory& run) { return Value(sum(run, round_seconds)); },
      "computing, synchronising and evaluating, the slowest worker in each round");
  const auto add_mean = [&](const std::string& label, std::vector<double> RoundRecord::*column) {
    figures.add(
        label, FigureKind::seconds,
        [column](const RunHistory& run) {
          return Value(sum(run, [column](const RoundRecord& record) { return mean_worker(record.*column); }));
        },
        "mean of the workers");
  };
  add_mean("of it computing", &RoundRecord::worker_seconds_compute);
  add_mean("of it synchronising", &RoundRecord::worker_seconds_sync);
  add_mean("of it waiting for slower workers", &RoundRecord::worker_seconds_wait);
  figures.add("of it evaluating", FigureKind::seconds, [](const RunHistory& run) {
    return Value(sum(run, [](const RoundRecord& record) { return finite(record.seconds_evaluation); }));
  });
  figures.add(
      "samples per second", FigureKind::count,
      [](const RunHistory& run) {
        const double seconds = sum(run, training_seconds);
        return seconds > 0 ? Value(static_cast<double>(run.records.back().samples) / seconds) : std::nullopt;
      },
      "all workers together, without evaluations");
  figures.add(
      "bytes sent", FigureKind::bytes, [](const RunHistory& run) { return Value(sum(run, round_bytes)); },
      "payload of synchronisations, all workers together");
  figures.add(
      "bytes sent a round", FigureKind::bytes,
      [](const RunHistory& run) { return Value(sum(run, round_bytes) / static_cast<double>(run.records.size())); },
      "all workers together");
  figures.add("bytes sent by the worker that sends most", FigureKind::bytes,
              [](const RunHistory& run) { return Value(largest_worker_bytes(run)); });
  figures.add(
      "memory of the largest worker", FigureKind::bytes,
      [](const RunHistory& run) {
        double peak = 0;
        for (const RoundRecord& record : run.records) {
          peak = std::max(peak, static_cast<double>(record.peak_memory_bytes));
        }
        return Value(peak);
      },
      "resident, at its peak");
}

void add_way_to(double accuracy, Figures& figures) {
  const std::string to = fmt::format("to reach {:.2f} %: ", 100 * accuracy);
  const std::string why = "the accuracy that every run has reached";
  figures.add(
      to + "time", FigureKind::seconds, [=](const RunHistory& run) { return sum_until(run, accuracy, round_seconds); },
      why);
  figures.add(
      to + "samples", FigureKind::count,
      [=](const RunHistory& run) {
        for (const RoundRecord& record : run.records) {
          if (record.accuracy && *record.accuracy >= accuracy) {
            return Value(static_cast<double>(record.samples));
          }
        }
        return Value();
      },
      why);
  figures.add(
      to + "bytes sent", FigureKind::bytes,
      [=](const RunHistory& run) { return sum_until(run, accuracy, round_bytes); }, why);
}

}  // namespace

double round_seconds(const RoundRecord& record) {
  return training_seconds(record) + finite(record.seconds_evaluation);
}

double round_bytes(const RoundRecord& record) {
  return finite(static_cast<double>(record.bytes_sent));
}

double mean_worker(const std::vector<double>& column) {
  double total = 0;
  for (const double value : column) {
    total += finite(value);
  }
  return column.empty() ? 0 : total / static_cast<double>(column.size());
}

std::vector<Figure> final_figures(const std::vector<RunHistory>& runs) {
  Figures figures(runs);
  add_results(figures, runs);
  if (const Value accuracy = common_accuracy(runs)) {
    add_way_to(*accuracy, figures);
  }
  add_costs(figures);
  return figures.take();
}

}  // namespace resist
