#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

namespace resist {

// Steps of a round at which a worker can be made to fail, to show that the others go on. In the order in which a worker
// comes by them; after a loss it comes by some of them once more for the same round.
inline constexpr std::array<std::string_view, 8> kFailpoints = {
    "training",   // after the first local iteration
    "trained",    // the local iterations are done
    "ready",      // all have told each other what they have
    "staged",     // this worker has all its next values, and has told nobody
    "agreed",     // it knows that all have theirs, and has not made them live
    "committed",  // they are live
    "evaluated",  // after the evaluation, where one is due
    "reported",   // the round is written down, and saved where that is due
};

using FailpointHook = std::function<void(std::string_view step, int worker, std::int64_t round)>;

// Called for every step that any worker of this process comes by; none: nothing. Not to be changed while workers run.
void set_failpoint_hook(FailpointHook hook);

// `worker`: its identity. `round`: the one under way, from 1.
void failpoint(std::string_view step, int worker, std::int64_t round);

// The next message that a worker of this process sends to another process is to be damaged on its way.
void corrupt_next_message();
// Whether the message that is sent now is the one. May be asked from several threads; only one is told so.
bool takes_corruption();

// What RESIST_FAILPOINT asks of this process, `text`: WORKER:STEP:ROUND:ACTION with ACTION kill, stop or corrupt (the
// worker's next message), several with commas. Each happens once. InputError where it makes no sense.
FailpointHook parse_failpoints(std::string_view text);

}  // namespace resist
