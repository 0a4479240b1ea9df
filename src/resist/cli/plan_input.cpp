#include "resist/cli/plan_input.h"

#include "resist/data/dataset.h"

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
  const DataSource source = open_data(config.data, {}, config.model.image_size, config.train.seed);
  const DatasetInfo& info = source.info;
  return {.shape = {.channels = info.channels, .height = info.height, .width = info.width, .classes = info.classes},
          .training_samples = source.train->size(),
          .evaluation_samples = source.evaluation()->size()};
}

}  // namespace resist
