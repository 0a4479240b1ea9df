#pragma once

#include "resist/simulate/replica_groups.h"

namespace resist {

// ResIST without a barrier. Every living worker owns an equal part of all parameters. A worker whose local iterations
// are done merges: it sends each owner its values of the owner's part, of the shared parameters and of the blocks it
// held, gets the owner's values of those and of other blocks, drawn at random, and goes on. Nobody waits for it, and it
// learns only later what others merge in the meantime: that many merges, over the number of workers, is its staleness.
//
// - A merge takes what the worker's own link takes for its bytes, times 1 + (others that merge at the same time) /
//   workers, since each worker's link also serves them; two ways there and back; and copying on both sides.
// - It is not done before the slowest link of a living worker, since every merge needs all owners, and its site's
// uplink
//   have carried all that was asked of them until then.
// - An owner that is cut off holds up merges that begin before the deadline has passed.
// - With a buddy each owner passes what it is sent on to another one, which takes as many bytes again as were sent.
// - A dead worker's local iterations are lost. Its parts come from whoever has them: shared ones from anybody, a
//   block's from a worker that holds it, else from the buddy, else from the checkpoint. In the tally these last two are
//   counts of parts, of whose rounds of training the part's share is lost.
// - Who returns first gets its state over its own link and then trains; nobody waits.
// - As many merges as there are workers make a round.
Outcome run_asynchronous(const SimulationSetup& setup);

}  // namespace resist
