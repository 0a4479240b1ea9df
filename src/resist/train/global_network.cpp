#include "resist/train/global_network.h"

#include <fmt/format.h>

#include "resist/config/enum_words.h"
#include "resist/core/error.h"

namespace resist {

std::optional<Ensemble> make_ensemble(const Config& config, const TrainingMethod& method, std::int64_t round,
                                      bool full_depth) {
  if (config.evaluation.inference == Inference::scaled || full_depth) {
    return std::nullopt;
  }
  if (config.train.method != Method::resist) {
    throw InputError(
        fmt::format("--inference ensemble takes the mean of sub-networks, and --method {} trains none; leave it out",
                    to_word(config.train.method)));
  }
  // A block scales its branch in a sub-network as it would in a network where all hold it.
  return Ensemble{.members = method.assignment(round, /*warmup=*/false),
                  .block_scale = method.block_scale(/*warmup=*/true)};
}

}  // namespace resist
