#include "resist/train/training_setup.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "resist/config/option.h"
#include "resist/core/error.h"
#include "resist/data/augment.h"
#include "resist/model/device.h"
#include "resist/model/precision.h"
#include "resist/partition/schedule.h"

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

// Options of flags and files, and data that resist opened itself, have been looked at where they came from. A program
// may give anything.
void check_options(const Config& config) {
  config_from_json(to_json(config));
  validate(config);
}

void check_labels(const std::string& set, const Dataset& data, int classes) {
  for (std::int64_t index = 0; index < data.size(); ++index) {
    if (const std::int64_t label = data.label(index); label < 0 || label >= classes) {
      throw InputError(fmt::format("sample {} of the {} has the label {}; with {} classes allowed are 0 to {}", index,
                                   set, label, classes, classes - 1));
    }
  }
}

void check_data(const DataSource& data) {
  const DatasetInfo& info = data.info;
  if (!data.train || !data.test || data.train->size() == 0 || data.evaluation()->size() == 0) {
    throw InputError("a training needs a training set and a test set, neither of them empty");
  }
  const auto channels = static_cast<std::size_t>(std::max(0, info.channels));
  if (info.mean.size() != channels || info.stddev.size() != channels) {
    throw InputError(
        fmt::format("the data have {} channels, but {} means and {} standard deviations; give one of each "
                    "for every channel",
                    info.channels, info.mean.size(), info.stddev.size()));
  }
  if (!std::ranges::all_of(info.stddev, [](float value) { return value > 0; })) {
    throw InputError("a standard deviation of the data is not above 0");
  }
  check_labels("training set", *data.train, info.classes);
  check_labels("test set", *data.evaluation(), info.classes);
  for (const TestSet& set : data.further) {
    check_labels("test set " + set.name, *set.dataset, info.classes);
  }
}

TrainingSetup lay_out(const Config& config, DataSource data, NetworkSpec spec, int workers, std::string device) {
  TrainingSetup setup{.config = config,
                      .spec = std::move(spec),
                      .layout = {},
                      .decks = {},
                      .data = std::move(data),
                      .balance = {},
                      .device = std::move(device)};
  const DatasetInfo& info = setup.data.info;
  check_fits(setup.spec, info);
  setup.spec.bf16 = choose_precision(config.cluster.precision, multiplies_bf16(setup.device)) == Precision::bf16;
  setup.layout = make_layout(setup.spec);
  setup.decks = deck_sizes(setup.layout);
  make_augmentation(config.data, info);  // throws where the padding is impossible
  for (const double share_done : {0.0, 1.0}) {
    make_method(config_at(config, share_done), setup.decks, workers);  // throws where the dealing is impossible
  }
  setup.balance = make_balance(config.partition, setup.decks, subnetwork_cost(setup.spec, setup.layout));
  return setup;
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

InputShape input_shape(const DatasetInfo& info) {
  return {.channels = info.channels, .height = info.height, .width = info.width, .classes = info.classes};
}

TrainingSetup prepare_training(const Config& config, int workers, int worker) {
  std::string device = choose_device(config.cluster.device, worker);
  DataSource data = open_data(config.data, config.evaluation.eval, config.model.image_size, config.train.seed);
  NetworkSpec spec = make_network_spec(config, input_shape(data.info));
  return lay_out(config, std::move(data), std::move(spec), workers, std::move(device));
}

TrainingSetup prepare_training(const Config& config, DataSource data, NetworkSpec spec, int workers) {
  check_options(config);
  check_data(data);
  return lay_out(config, std::move(data), std::move(spec), workers, choose_device(config.cluster.device, 0));
}

}  // namespace resist
