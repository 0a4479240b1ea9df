#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "resist/config/config.h"
#include "resist/model/layout.h"

namespace resist {

// Resident bytes of one worker beyond what libtorch and the data take.
struct MemoryPrediction {
  std::int64_t arena = 0;     // one arena: (shared + slots * block) * 4
  std::int64_t arenas = 0;    // values, momentum, and the next ones of those that are averaged
  std::int64_t compress = 0;  // what --compress adds: agreed parameters and residual
  std::int64_t outer = 0;     // what --outer-momentum and --outer-lr add: agreed parameters and their momentum
  std::int64_t protect = 0;   // what --protect buddy adds: copies of blocks that another worker holds
  std::int64_t overlap = 0;   // what --overlap adds: the sent parameters, their mean, chunk buffers of its own
  // These take turns.
  std::int64_t bf16 = 0;             // what bf16 adds to `step`: a copy of the weights; activations take half as much
  std::int64_t step = 0;             // a local iteration: activations, scratch of a convolution, gradients under way
  std::int64_t synchronisation = 0;  // chunk buffers
  std::int64_t evaluation = 0;       // activations of evaluating one batch, a convolution's scratch, visiting blocks
  std::int64_t total() const {
    return arenas + compress + outer + protect + overlap + std::max({step + bf16, synchronisation, evaluation});
  }
};

// What training with S workers takes, before it is tried.
struct Prediction {
  int workers = 0;
  std::vector<int> slots;                  // k per deck; with --balance the most that a fast worker may come to hold
  std::int64_t parameters_per_worker = 0;  // most that one holds
  // The paper's counting: an upload and a download of everything each worker holds, float32, all workers.
  std::int64_t paper_bytes = 0;
  // Payload that resist really sends in each of the first rounds, all workers. Exact as long as no worker is lost and,
  // with --balance, all are equally fast.
  std::vector<std::int64_t> payload_bytes;
  // Most that one worker sends or receives, per round: over a link's rate this is the round's floor.
  std::vector<std::int64_t> busiest_link_bytes;
  MemoryPrediction memory;
  std::optional<MemoryPrediction> warmup_memory;  // where the options have a warm-up: every block on every worker
};

// Predicts the first `rounds` rounds of a training that is longer, as if there were no warm-up. InputError where the
// dealing is impossible.
Prediction predict(const Config& config, const NetworkSpec& spec, const Layout& layout, int workers,
                   std::int64_t rounds);

// Payload of one round's synchronisation by worker, sent and received: of round `round` (0-based) itself. `in_full`:
// all have to agree at its end, whatever --last-section-every says; with --overlap the average counts in the round that
// it is the average of. Pure.
struct RoundPayload {
  std::vector<std::int64_t> sent;
  std::vector<std::int64_t> received;
};
RoundPayload predict_round(const Config& config, const Layout& layout, int workers, std::int64_t round,
                           bool in_full = false);

}  // namespace resist
