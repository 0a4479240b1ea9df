#include "resist/cli/plan_input.h"

#include "resist/data/dataset.h"
#include "resist/data/holdout.h"
#include "resist/data/known_sets.h"
#include "resist/train/training_setup.h"

namespace resist {

PlanInput plan_input(const PlanCommand& command) {
  const Config& config = command.config;
  if (!command.data_given) {
    const ModelOptions& model = config.model;
    return {.shape = {.channels = model.channels,
                      .height = model.image_size,
                      .width = model.image_size,
                      .classes = model.classes},
            .training_samples = command.samples,
            .evaluation_samples = command.samples / 5};
  }
  const KnownSet* known = known_set(config.data.data);
  if (known != nullptr && config.data.data_dir.empty()) {  // its pictures needn't be here yet
    const Extent& usual = known->usual;
    const std::int64_t held_out = config.data.holdout;
    if (held_out > 0) {
      check_holdout(held_out, usual.training_samples);
    }
    return {.shape = {.channels = known->info.channels,
                      .height = usual.size,
                      .width = usual.size,
                      .classes = known->info.classes},
            .training_samples = usual.training_samples - held_out,
            .evaluation_samples = held_out > 0 ? held_out : usual.test_samples};
  }
  const DataSource source = open_data(config.data, {}, config.model.image_size, config.train.seed);
  return {.shape = input_shape(source.info),
          .training_samples = source.train->size(),
          .evaluation_samples = source.evaluation()->size()};
}

}  // namespace resist
