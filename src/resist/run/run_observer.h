#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <span>
#include <vector>

#include "resist/config/config.h"
#include "resist/run/journal.h"
#include "resist/run/recorder.h"
#include "resist/telemetry/progress.h"
#include "resist/telemetry/run_folder.h"
#include "resist/tensorboard/event_writer.h"
#include "resist/train/trainer.h"

namespace resist {

// Bytes of a run folder's name, which workers tell each other, with the zero at its end.
inline constexpr std::size_t kLongestRunPath = 4096;

// What worker 0 writes a run to, and shows it on.
struct RunOutput {
  RunFolder folder;
  Progress progress;
  std::optional<EventWriter> events;  // where the run has event files
};

// For the rounds after `round`, of a training that goes to `length`; `written`: those that the folder has. From here on
// the log goes to the folder as well.
RunOutput open_output(RunFolder folder, const Config& config, std::int64_t round,
                      const std::vector<RoundRecord>& written, const TrainLength& length, std::ostream& out);

// What a run writes, and when: metrics, history, event files, checkpoints, recordings, the display. Worker 0 has the
// folder, and when it is lost the worker that has its rank then. `config` and `out` must outlive it.
class RunObserver : public TrainingObserver {
 public:
  // `output`: worker 0's alone. `best_accuracy`: of the run so far; -1: not evaluated.
  RunObserver(const Config& config, std::optional<RunOutput> output, const std::filesystem::path& path,
              double best_accuracy, std::ostream& out);
  // Of a worker that joins a training that is under way: the others tell it the rest.
  RunObserver(const Config& config, std::ostream& out);

  void round_starts(Trainer& trainer) override;
  void batch_used(Trainer& trainer, const Batch& batch, double learning_rate) override;
  bool needs_agreement(std::int64_t round) const override;
  void round_committed(Trainer& trainer, const RoundRecord& record, bool last) override;
  void generation_began(Trainer& trainer, const GenerationRecord& record) override;
  std::optional<std::int64_t> restore_block(Trainer& trainer, int block, std::span<float> values) override;

  // Ends the display, and writes what waits.
  void finish();

  const std::filesystem::path& path() const { return path_; }
  const RoundRecord& last_record() const { return last_record_; }

 private:
  CommitRecord commit_of(Trainer& trainer) const;
  void tell_who_joined(Communicator& communicator);
  void take_over(Trainer& trainer);
  void tell_of_balance(const RoundRecord& record) const;
  void add_events(const Trainer& trainer, const RoundRecord& record);
  void save(Trainer& trainer, const RoundRecord& record, bool last);

  const Config& config_;
  std::optional<RunOutput> output_;  // worker 0's
  std::filesystem::path path_;
  std::optional<Assignment> assignment_;  // of the round under way, for the event files
  std::optional<RoundRecorder> recorder_;
  Journal journal_;
  double best_accuracy_;     // of the run so far; the same on every worker; -1: not evaluated
  double best_before_ = -1;  // before the round that was told of last
  std::int64_t compared_round_ = -1;
  std::int64_t written_ = 0;  // the last round in the folder, where this worker has it
  std::ostream& out_;
  RoundRecord last_record_;
};

}  // namespace resist
