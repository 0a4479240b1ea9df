#include <fmt/format.h>

#include <cmath>

#include "resist/config/enum_words.h"
#include "resist/config/model_presets.h"
#include "resist/config/option.h"
#include "resist/core/error.h"

namespace resist {
namespace {

void check_growing_rounds(const TrainOptions& train) {
  if (train.max_local_iterations < train.local_iterations) {
    throw InputError(fmt::format(
        "--max-local-iterations is {}; rounds lengthen to it, so it must be at least --local-iterations, which is {}, "
        "or 0",
        train.max_local_iterations, train.local_iterations));
  }
  if (train.schedule == Schedule::constant) {
    throw InputError(
        "--max-local-iterations lengthens rounds as the learning rate falls, and --schedule constant keeps it; leave "
        "one of them out");
  }
  if (train.rounds > 0) {
    throw InputError(fmt::format(
        "--max-local-iterations is given with --rounds {}, and how many samples those are would depend on itself; give "
        "--epochs instead",
        train.rounds));
  }
  if (train.method == Method::data_parallel) {
    throw InputError(
        "--max-local-iterations makes synchronisations rarer, and --method data-parallel has one in each iteration; "
        "leave it out or use --method resist or local-sgd");
  }
}

void check_training(const TrainOptions& train) {
  if (train.epochs == 0 && train.rounds == 0) {
    throw InputError("--epochs is 0 and --rounds is 0, so there is nothing to train; give one of them");
  }
  if (train.nesterov && train.momentum == 0) {
    throw InputError("--nesterov needs momentum, and --momentum is 0; give a momentum or leave --nesterov out");
  }
  if (train.method == Method::data_parallel &&
      train.momentum_sync.value_or(MomentumSync::carry) != MomentumSync::carry) {
    throw InputError(
        fmt::format("--momentum-sync is {} with --method data-parallel, whose momentum never differs "
                    "between workers; it must be carry or auto",
                    to_word(*train.momentum_sync)));
  }
  if (train.max_local_iterations > 0) {
    check_growing_rounds(train);
  }
  constexpr double kMostSamples = 9e18;  // of a 64-bit count
  constexpr double kMostWorkers = 1024;
  const double samples = static_cast<double>(train.rounds) * train.local_iterations * train.batch_size * kMostWorkers;
  if (samples > kMostSamples) {
    throw InputError(
        fmt::format("--rounds {} of --local-iterations {} are more samples than can be counted; at most {:.0f} "
                    "rounds are possible",
                    train.rounds, train.local_iterations,
                    std::floor(kMostSamples / kMostWorkers / train.local_iterations / train.batch_size)));
  }
  if (train.rounds > 0) {
    return;  // how many epochs that is depends on the data
  }
  if (train.warmup_epochs > train.epochs) {
    throw InputError(fmt::format("--warmup-epochs is {}; it must be at most --epochs, which is {}", train.warmup_epochs,
                                 train.epochs));
  }
  if (train.warmup_epochs + train.full_depth_epochs > train.epochs) {
    throw InputError(
        fmt::format("--full-depth-epochs is {}; with --warmup-epochs {} it must be at most --epochs, which "
                    "is {}",
                    train.full_depth_epochs, train.warmup_epochs, train.epochs));
  }
  if (train.lr_warmup_epochs.value_or(0) > train.epochs) {
    throw InputError(fmt::format("--lr-warmup-epochs is {}; it must be at most --epochs, which is {}",
                                 *train.lr_warmup_epochs, train.epochs));
  }
}

void check_evaluation(const EvaluationOptions& evaluation, Method method) {
  if (evaluation.inference == Inference::ensemble && method != Method::resist) {
    throw InputError(
        fmt::format("--inference ensemble takes the mean of sub-networks, and --method {} trains none; leave it out or "
                    "use --method resist",
                    to_word(method)));
  }
  for (const std::string& set : evaluation.eval) {
    if (set.starts_with("test=")) {
      throw InputError(
          fmt::format("--eval is '{}', but the data set's own test set is called test; give it another name", set));
    }
  }
}

void check_synchronisation(const SyncOptions& sync, const TrainOptions& train) {
  if (train.method == Method::data_parallel && (sync.compress != Compression::none || sync.overlap)) {
    throw InputError(
        fmt::format("--{} is for parameters, and --method data-parallel averages gradients; leave it out "
                    "or use --method resist or local-sgd",
                    sync.overlap ? "overlap" : "compress"));
  }
  if (sync.overlap && train.momentum_sync.value_or(MomentumSync::reset) == MomentumSync::average) {
    throw InputError(
        "--overlap is given with --momentum-sync average, which has to wait for every average; use reset or carry");
  }
  if (sync.overlap_iterations && !sync.overlap) {
    throw InputError("--overlap-iterations says when an overlapped average lands; give --overlap too, or leave it out");
  }
  if (sync.overlap_iterations.value_or(1) > train.local_iterations) {
    throw InputError(fmt::format("--overlap-iterations is {}, but a round has {} local iterations; allowed are 1 to {}",
                                 *sync.overlap_iterations, train.local_iterations, train.local_iterations));
  }
}

// What makes workers' shared parameters differ between rounds, or changes them besides the mean, does not go with
// everything.
void check_agreement(const Config& config) {
  const bool data_parallel = config.train.method == Method::data_parallel;
  const bool last_section = config.sync.last_section_every > 1;
  if (data_parallel && (config.outer.used() || last_section)) {
    throw InputError(fmt::format(
        "--{} is for the mean of parameters, and --method data-parallel averages gradients; leave it out or "
        "use --method resist or local-sgd",
        last_section ? "last-section-every" : "outer-momentum or --outer-lr"));
  }
  if (config.outer.nesterov && config.outer.momentum == 0) {
    throw InputError(
        "--outer-nesterov needs momentum, and --outer-momentum is 0; give a momentum or leave --outer-nesterov out");
  }
  if (config.sync.overlap && last_section) {
    throw InputError(
        "--overlap is given with --last-section-every, which needs the mean at the round's end; leave one of them out");
  }
}

void check_growing_depth(const PartitionOptions& partition, Method method) {
  const int least = first_min_blocks(partition);
  if (*partition.final_min_blocks < least) {
    throw InputError(
        fmt::format("--final-min-blocks is {}; --min-blocks, which is {}, grows to it, so it must be at least that",
                    *partition.final_min_blocks, least));
  }
  const std::string other = method != Method::resist                      ? "--method " + std::string(to_word(method))
                            : partition.partition == PartitionMode::exact ? "--partition exact"
                            : partition.balance == Balance::speed         ? "--balance speed"
                                                                          : "";
  if (!other.empty()) {
    throw InputError(fmt::format(
        "--final-min-blocks says what every worker holds at the end, and {} says otherwise; leave one of them out",
        other));
  }
}

void check_partition(const PartitionOptions& partition, std::size_t sections, Method method) {
  if (partition.partition == PartitionMode::exact && partition.min_blocks) {
    throw InputError(
        fmt::format("--min-blocks is {} with --partition exact, which deals each block once; leave "
                    "--min-blocks out or use --partition equal",
                    *partition.min_blocks));
  }
  if (partition.final_min_blocks) {
    check_growing_depth(partition, method);
  }
  if (partition.balance == Balance::speed && method != Method::resist) {
    throw InputError(fmt::format(
        "--balance speed deals blocks by speed, and --method {} gives every worker all of them; leave it out "
        "or use --method resist",
        to_word(method)));
  }
  if (partition.balance == Balance::speed && partition.partition == PartitionMode::exact) {
    throw InputError(
        "--balance speed gives workers different numbers of blocks, and --partition exact gives them as equal ones as "
        "can be; leave one of them out");
  }
  int before = 0;
  for (const int section : partition.partition_sections) {
    if (section <= before) {
      throw InputError(fmt::format("--partition-sections has {} after {}; sections must ascend", section, before));
    }
    // The other methods deal nothing out, so a small network needs no other sections for them.
    if (method == Method::resist && static_cast<std::size_t>(section) > sections) {
      throw InputError(fmt::format("--partition-sections has {}, but the network has {} sections", section, sections));
    }
    before = section;
  }
}

}  // namespace

void validate(const Config& config) {
  Config scratch;
  for (const auto& option : option_table()) {
    try {
      option.set(scratch, option.get(config));
    } catch (const InputError& error) {
      throw InputError(std::string("--") + error.what());
    }
  }
  check_training(config.train);
  check_evaluation(config.evaluation, config.train.method);
  check_synchronisation(config.sync, config.train);
  check_agreement(config);
  const ModelPreset model = resolve_model(config.model);
  if (model.final_norm && model.block == BlockType::postact) {
    throw InputError(
        fmt::format("--final-norm is given with --model {}, whose blocks end in a norm and a rectifier; "
                    "leave it out or choose a preact model",
                    config.model.model));
  }
  check_partition(config.partition, model.depths.size(), config.train.method);
}

}  // namespace resist
