#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "resist/config/config.h"
#include "resist/core/file.h"
#include "resist/partition/assignment.h"
#include "resist/telemetry/round_record.h"

namespace resist {

// What RUN/tensorboard holds is extra: nothing here but writes_events() throws. What fails (disk full, folder gone) is
// one warning in the log, and no more is written.

// Whether the run that `config` describes writes event files: as --tensorboard says, otherwise where this build can
// (RESIST_WITH_TENSORBOARD). InputError where they are asked for and it can't.
bool writes_events(const Config& config);

// Makes the event files those of a run that ended after committed round `round`: later events and a torn last record
// are cut off. Files are shortened in place and none is removed, since a TensorBoard that has them open never opens a
// file of the same name again. Does nothing in a build that writes none.
void cut_events(const std::filesystem::path& run_dir, std::int64_t round);

// Writes one event file, RUN/tensorboard/events.out.tfevents.NNNNNN.resist; a run has one for each time that it was
// started or resumed, numbered in this order, since that is how TensorBoard reads them. What is added is in the file at
// once and survives the death of this process.
class EventWriter {
 public:
  // Seconds since 1970.
  using Clock = std::function<double()>;
  static double system_clock();

  // For the rounds after committed round `round` (0: a new run). To a TensorBoard that has read later ones already, the
  // file says that they are void.
  EventWriter(const std::filesystem::path& run_dir, std::int64_t round, std::string_view config_toml,
              Clock clock = system_clock);

  void add(const RoundRecord& record);
  // Who held what in committed round `round`. `decks`: those that the assignment deals.
  void add_assignment(std::int64_t round, const Assignment& assignment, const std::vector<DeckSize>& decks);

 private:
  // Appends what `event(wall time)` gives as one record; where anything fails, warns and gives the file up.
  void write(const std::function<std::string(double)>& event);
  void attempt(const std::function<void()>& action);

  std::filesystem::path path_;  // of the file; of its folder until there is one
  Clock clock_;
  std::unique_ptr<OutputFile> file_;  // null: given up
};

}  // namespace resist
