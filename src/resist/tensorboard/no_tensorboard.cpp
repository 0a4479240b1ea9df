#include <utility>

#include "resist/core/error.h"
#include "resist/tensorboard/event_writer.h"

namespace resist {

bool writes_events(const Config& config) {
  if (config.run.tensorboard.value_or(false)) {
    throw InputError(
        "--tensorboard is true, and this resist was built without it; build it with -DRESIST_WITH_TENSORBOARD=ON, or "
        "give --tensorboard=false");
  }
  return false;
}

void cut_events(const std::filesystem::path& /*run_dir*/, std::int64_t /*round*/) {
}

// No writer is made where writes_events() says no.
EventWriter::EventWriter(const std::filesystem::path& /*run_dir*/, std::int64_t /*round*/,
                         std::string_view /*config_toml*/, Clock clock)
    : clock_(std::move(clock)) {
}

double EventWriter::system_clock() {
  return 0;
}

void EventWriter::add(const RoundRecord& /*record*/) {
}

void EventWriter::add_assignment(std::int64_t /*round*/, const Assignment& /*assignment*/,
                                 const std::vector<DeckSize>& /*decks*/) {
}

}  // namespace resist
