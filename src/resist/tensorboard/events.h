#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "resist/telemetry/round_record.h"
#include "resist/tensorboard/assignment_picture.h"

namespace resist {

// TensorBoard's events, as the payloads of an event file's records (event.proto). An event's step is a committed round,
// 1-based as in metrics.jsonl; `wall_time` is in seconds since 1970.

// What every event file begins with.
std::string version_event(double wall_time);
// Training begins with round `step`: whatever was written before of that round or a later one is void.
std::string start_event(double wall_time, std::int64_t step);
// The options as text, in a block of code of Markdown, under the tag "config".
std::string config_event(double wall_time, std::int64_t step, std::string_view config_toml);
// The round's scalars (docs/run-folder.md lists them), as float32.
std::string round_event(double wall_time, const RoundRecord& record);
// Who holds what, under the tag "assignment".
std::string assignment_event(double wall_time, std::int64_t step, const AssignmentPicture& picture);

// An event's step; nothing where it can't be read.
std::optional<std::int64_t> event_step(std::string_view event);

}  // namespace resist
