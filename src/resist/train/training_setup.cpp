#include "resist/train/training_setup.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "resist/core/error.h"
#include "resist/data/augment.h"

namespace resist {
namespace {

void check_fits(const NetworkSpec& spec, const DatasetInfo& info) {
  if (spec.channels != info.channels || spec.height != info.height || spec.image_width != info.width) {
    throw InputError(
        fmt::format("the network is made for pictures of {}x{}x{} but {} has {}x{}x{}; leave --channels "
                    "and --image-size out to take the data set's",
                    spec.channels, spec.height, spec.image_width, info.name, info.channels, info.height, info.width));
  }
  if (spec.classes < info.classes) {
    throw InputError(
        fmt::format("--classes {} is less than the {} classes of {}", spec.classes, info.classes, info.name));
  }
}

}  // namespace

std::vector<TestBatches> test_batches(const TrainingSetup& setup, const std::shared_ptr<const Dataset>& main) {
  const int size = setup.config.evaluation.eval_batch_size;
  std::vector<TestBatches> sets;
  sets.push_back({"test", EvaluationBatches(main, setup.data.info, size)});
  for (const TestSet& set : setup.data.further) {
    sets.push_back({set.name, EvaluationBatches(set.dataset, setup.data.info, size)});
  }
  return sets;
}

int loader_threads(const TrainingSetup& setup) {
  const int given = setup.config.cluster.loader_threads;
  return given > 0 ? given : setup.data.info.decodes ? at::get_num_threads() : 1;
}

TrainingSetup prepare_training(const Config& config, int workers) {
  TrainingSetup setup;
  setup.config = config;
  setup.data = open_data(config.data, config.evaluation.eval, config.model.image_size, config.train.seed);
  const DatasetInfo& info = setup.data.info;
  setup.spec = make_network_spec(
      config, {.channels = info.channels, .height = info.height, .width = info.width, .classes = info.classes});
  check_fits(setup.spec, info);
  setup.layout = make_layout(setup.spec);
  setup.decks = deck_sizes(setup.layout);
  make_augmentation(config.data, info);       // throws where the padding is impossible
  make_method(config, setup.decks, workers);  // throws where the dealing is impossible
  return setup;
}

}  // namespace resist
