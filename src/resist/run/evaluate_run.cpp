#include "resist/run/evaluate_run.h"

#include <fmt/format.h>
#include <torch/types.h>

#include "resist/checkpoint/checkpoint.h"
#include "resist/cluster/cores.h"
#include "resist/comm/in_process.h"
#include "resist/config/option.h"
#include "resist/core/clock.h"
#include "resist/core/heap.h"
#include "resist/run/threads.h"
#include "resist/train/training_setup.h"

namespace resist {
namespace {

void read_group(const SafetensorsReader& part, const std::vector<Parameter>& parameters, const at::Tensor& memory) {
  for (const Parameter& parameter : parameters) {
    part.read(parameter.name, {memory.data_ptr<float>() + parameter.offset, static_cast<std::size_t>(parameter.size)});
  }
}

// Blocks straight from a checkpoint's file.
class StoredBlocks : public BlockSource {
 public:
  StoredBlocks(const Checkpoint& checkpoint, const Layout& layout)
      : layout_(layout), part_(checkpoint.part("blocks")) {}

  ParameterMemory fetch(int block) override {
    memory_ = at::empty({layout_.blocks[block].size}, at::kFloat);
    read_group(part_, layout_.blocks[block].parameters, memory_);
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

}  // namespace

EvaluateReport run_evaluate(const std::filesystem::path& run_dir, const std::string& which, const Config& run_config) {
  const Checkpoint checkpoint = open_checkpoint(run_dir, which);
  // What the tensors are is the checkpoint's to say, not a file's that anybody can edit.
  const Config trained = config_from_json(checkpoint.state().config);
  Config config = run_config;
  config.model = trained.model;
  config.partition = trained.partition;
  const TrainingSetup setup = prepare_training(config, std::max(1, config.cluster.workers));
  if (checkpoint.state().block_scale.size() != setup.decks.size()) {
    throw InputError(fmt::format("the checkpoint '{}' has {} block scales where its network has {} sections to deal",
                                 checkpoint.folder().string(), checkpoint.state().block_scale.size(),
                                 setup.decks.size()));
  }
  keep_freed_memory();
  set_compute_threads(share_cores({own_cores(config.cluster.threads)}, 0).threads);
  const Stopwatch watch;
  const auto alone = make_in_process_group(1);
  Network network(setup.spec, setup.layout);
  const at::Tensor shared = at::empty({setup.layout.shared_size}, at::kFloat);
  read_group(checkpoint.part("shared"), setup.layout.shared, shared);
  network.bind_shared({.values = shared});
  std::unique_ptr<BlockSource> blocks = std::make_unique<NoBlocks>();
  if (!setup.layout.blocks.empty()) {
    blocks = std::make_unique<StoredBlocks>(checkpoint, setup.layout);
  }
  const int batch_size = config.evaluation.eval_batch_size;
  const EvaluationBatches batches(setup.data.test, setup.data.info, batch_size);
  EvaluateReport report{.round = checkpoint.state().round, .data = setup.data.info.name, .batch_size = batch_size};
  report.result = evaluate(*alone[0], network, *blocks,
                           {.layout = setup.layout,
                            .block_scale = checkpoint.state().block_scale,
                            .batches = batches,
                            .train_batch_size = config.train.batch_size});
  report.seconds = watch.seconds();
  return report;
}

}  // namespace resist
