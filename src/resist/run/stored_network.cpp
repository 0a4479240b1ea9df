#include "resist/run/stored_network.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>

#include "resist/cluster/cores.h"
#include "resist/comm/in_process.h"
#include "resist/config/option.h"
#include "resist/core/error.h"
#include "resist/core/heap.h"
#include "resist/partition/schedule.h"
#include "resist/run/checkpointing.h"
#include "resist/run/run_data.h"
#include "resist/run/threads.h"

namespace resist {
namespace {

void read_group(const SafetensorsReader& part, const std::vector<Parameter>& parameters, std::span<float> memory) {
  for (const Parameter& parameter : parameters) {
    part.read(parameter.name,
              memory.subspan(static_cast<std::size_t>(parameter.offset), static_cast<std::size_t>(parameter.size)));
  }
}

// Blocks straight from a checkpoint's file.
class StoredBlocks : public BlockSource {
 public:
  StoredBlocks(const Checkpoint& checkpoint, const Layout& layout)
      : layout_(layout), part_(checkpoint.part("blocks")) {}

  ParameterMemory fetch(int block) override {
    memory_ = at::empty({layout_.blocks[block].size}, at::kFloat);
    read_group(part_, layout_.blocks[block].parameters,
               {memory_.data_ptr<float>(), static_cast<std::size_t>(memory_.numel())});
    return {.values = memory_};
  }

 private:
  const Layout& layout_;
  SafetensorsReader part_;
  at::Tensor memory_;
};

// For networks without partitioned blocks.
class NoBlocks : public BlockSource {
 public:
  ParameterMemory fetch(int /*block*/) override { throw Error("this network has no partitioned blocks"); }
};

// As the run that wrote the checkpoint would evaluate it.
std::optional<Ensemble> ensemble_of(const std::filesystem::path& run_dir, const TrainingSetup& setup,
                                    const CheckpointState& state) {
  if (setup.config.evaluation.inference == Inference::scaled) {
    return std::nullopt;
  }
  Config config = setup.config;
  config.train = config_from_json(state.config).train;
  const TrainPosition position = position_of(state);
  const std::int64_t samples = trained_samples(run_dir).value_or(setup.data.train->size());
  const TrainLength length = train_length(config.train, state.workers, samples, position);
  const auto method =
      make_method(config_at(config, share_done(length, position)), setup.decks, state.workers, state.hands);
  return make_ensemble(config, *method, position.round, at_full_depth(config.train, samples, length, position));
}

}  // namespace

Config trained_config(const Checkpoint& checkpoint, const Config& run_config) {
  const Config trained = config_from_json(checkpoint.state().config);
  Config config = run_config;
  config.model = trained.model;
  config.partition = trained.partition;
  return config;
}

StoredNetwork::StoredNetwork(const std::filesystem::path& run_dir, const std::string& which, const Config& run_config)
    : checkpoint_(open_checkpoint(run_dir, which)),
      setup_(prepare_training(trained_config(checkpoint_, run_config), std::max(1, run_config.cluster.workers.most))),
      alone_(std::move(make_in_process_group(1).front())),
      shared_(static_cast<std::size_t>(setup_.layout.shared_size)) {
  adopt_run_data(run_dir, setup_.data);
  const CheckpointState& state = checkpoint_.state();
  if (state.block_scale.size() != setup_.decks.size()) {
    throw InputError(fmt::format("the checkpoint '{}' has {} block scales where its network has {} sections to deal",
                                 checkpoint_.folder().string(), state.block_scale.size(), setup_.decks.size()));
  }
  keep_freed_memory();
  set_compute_threads(share_cores({own_cores(run_config.cluster.threads)}, 0).threads);
  read_group(checkpoint_.part("shared"), setup_.layout.shared, shared_);
  std::unique_ptr<BlockSource> blocks = std::make_unique<NoBlocks>();
  if (!setup_.layout.blocks.empty()) {
    blocks = std::make_unique<StoredBlocks>(checkpoint_, setup_.layout);
  }
  network_ = std::make_unique<GlobalNetwork>(*alone_, setup_, shared_, std::move(blocks), state.block_scale,
                                             ensemble_of(run_dir, setup_, state));
}

}  // namespace resist
