#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace resist {

// Every option of resist, once: one plain struct per component with its defaults. The option table (option.h) gives
// each field its name, help and bounds; flags, a TOML file and a run's stored config all fill these through it.
// Training settings here are the paper's; the program starts from those of a recipe (recipe.h).

enum class Recipe { paper, best };  // training settings that go together (recipe.h)
enum class Method { resist, local_sgd, data_parallel };
enum class PartitionMode { equal, exact };          // exact: the published code's mode, each block once
enum class Dealing { shuffled, strata };            // strata: each worker gets an even coarse copy of the depth
enum class Balance { none, speed };                 // whether faster workers hold more blocks
enum class MomentumSync { reset, carry, average };  // what happens to momentum at a synchronisation
enum class Schedule { step, cosine, constant };
enum class Compression { none, bf16, int8, int6, int4 };  // how shared parameters travel
enum class Precision { automatic, fp32, bf16 };           // of convolutions; parameters are float32
enum class DataMode { replicated, sharded };
enum class Inference { scaled, ensemble };  // all blocks, scaled; the mean of the sub-networks' logits
enum class BlockType { preact, postact };
enum class Stem { conv3, conv7 };  // a 3x3 convolution; a 7x7 one of stride 2 and a 3x3 max pool of stride 2

// Where a block comes from when all its holders have died in one round.
enum class Protection {
  none,   // from the last checkpoint
  buddy,  // from a copy that is one round old: whoever sends a block keeps it for a round, and a block that stays with
          // its only holder is sent to one other worker as well
};

struct ModelOptions {
  std::string model = "preact-small";  // a name from model_presets(); the fields below override what it sets
  std::vector<int> depths;             // blocks per section; empty: the preset's
  int width = 0;                       // channels of section 1, doubled by each later section; 0: the preset's
  std::optional<Stem> stem;            // unset: the preset's
  std::optional<bool> final_norm;      // a norm and rectifier before the average pool; unset: the preset's
  bool zero_init = false;              // every residual branch's last convolution starts at zero
  int classes = 0;                     // 0: the data set's
  int channels = 0;                    // 0: the data set's
  int image_size = 0;                  // height and width in pixels; 0: what suits the data set
};

struct DataOptions {
  std::string data = "fashion-mnist";  // known name, picture folder, packed file, or synthetic:N,C,H,W,CLASSES
  std::filesystem::path data_dir;      // where a known data set lies; empty: looked for in the usual places
  DataMode data_mode = DataMode::replicated;
  std::int64_t holdout = 0;         // training samples taken out; evaluation during training uses these
  std::optional<int> crop_padding;  // zero padding before the random crop; unset: the data set's usual value
  std::optional<double> crop_area;  // least share of a random resized crop; 0: none; unset: 0.08 where pictures have
                                    // sizes of their own
  std::optional<bool> flip;         // random horizontal flip; unset: the data set's usual value
  int skip_corrupt = 0;             // damaged pictures that are left out, at most
};

inline constexpr int kDefaultMinBlocks = 4;

struct PartitionOptions {
  PartitionMode partition = PartitionMode::equal;
  std::optional<int> min_blocks;        // a worker's least number per dealt section (equal mode); unset: the default
  std::optional<int> final_min_blocks;  // what that grows to over the training; unset: it stays
  std::vector<int> partition_sections = {3};
  Dealing dealing = Dealing::shuffled;
  int deal_every = 1;  // rounds that blocks stay with their holders
  Balance balance = Balance::none;
  bool partition_first_blocks = false;  // ablation: also deal first blocks' residual branches
  bool scale_blocks = true;             // ablation: false evaluates residual branches at scale 1
};

// The least number that grows to final_min_blocks: as given, or the default as far as that is less.
inline int first_min_blocks(const PartitionOptions& options) {
  return options.min_blocks.value_or(std::min(kDefaultMinBlocks, options.final_min_blocks.value_or(kDefaultMinBlocks)));
}

struct TrainOptions {
  Recipe recipe = Recipe::paper;  // which one these come from; what is given besides may differ from it
  Method method = Method::resist;
  double epochs = 2;        // passes over the training set by all workers together
  std::int64_t rounds = 0;  // 0: from epochs
  int local_iterations = 50;
  int max_local_iterations = 0;  // that rounds lengthen to as the learning rate falls; 0: they don't
  int batch_size = 128;          // per worker
  double lr = 0.03;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 5e-4;
  bool decay_norms = true;                    // weight decay on norms' parameters and biases too
  double label_smoothing = 0;                 // share of a target spread evenly over all classes
  double stochastic_depth = 0;                // probability that an iteration leaves a partitioned block out
  std::optional<MomentumSync> momentum_sync;  // unset: reset (carry with data-parallel)
  Schedule schedule = Schedule::step;
  std::optional<double> lr_warmup_epochs = 0;  // learning rate rises linearly over these; unset: a twentieth of all
  double warmup_epochs = 0;                    // local SGD (all blocks on all workers) for these first epochs
  double full_depth_epochs = 0;                // and for these last ones
  std::uint64_t seed = 1;
};

// How agreed parameters follow the workers' mean: SGD whose gradient is the way from the mean back to what was agreed
// on before.
struct OuterOptions {
  double lr = 1;
  double momentum = 0;
  bool nesterov = false;
  // With lr 1 and no momentum what is agreed on is the mean itself.
  bool used() const { return lr != 1 || momentum != 0; }
};

struct SyncOptions {
  Compression compress = Compression::none;
  bool overlap = false;                   // the shared average travels while the next round trains
  std::optional<int> overlap_iterations;  // local iterations that it travels for; unset: a fifth of a round's
  Protection protect = Protection::buddy;
  int last_section_every = 1;  // rounds from one average of the last section's shared parameters to the next
};

struct EvaluationOptions {
  std::vector<std::string> eval;  // further test sets, NAME=PATH
  int eval_every = 0;             // rounds; 0: after the last round only
  Inference inference = Inference::scaled;
  int eval_batch_size = 250;              // the largest batch; batch-statistics norm makes it part of the result
  std::int64_t calibrate_samples = 4096;  // training samples for running statistics; 0: none are computed
};

struct RunOptions {
  std::filesystem::path run_dir;            // empty: runs/<data>-<method>-<n>, the first n that is free
  std::filesystem::path resume;             // a run folder to go on with
  std::filesystem::path replay_membership;  // a run folder; its training is done again, lost workers and all
  int checkpoint_every = 10;                // rounds; 0: only after the last and at each new best accuracy
  int keep_checkpoints = 2;                 // newest ones kept; the best is kept besides
  std::int64_t record_round = 0;            // write this round's inputs, weights and result to the run folder; 0: none
  std::optional<bool> tensorboard;          // write event files for TensorBoard; unset: where this build can
};

// How many workers train: `most` at the start; with fewer than `least` left the job stops at a checkpoint.
struct WorkerCount {
  int least = 1;
  int most = 0;  // 0: what the launcher's environment says, else 1
};

struct ClusterOptions {
  WorkerCount workers;
  int restarts = 3;             // lost workers of this machine that are replaced, at most
  bool in_process = false;      // workers are threads of this process
  std::string device = "auto";  // auto, cpu, cuda or cuda:N
  Precision precision = Precision::automatic;
  int threads = 0;         // per worker; 0: this machine's cores divided by its workers, at least 1
  int loader_threads = 0;  // per worker; 0: as many as threads where pictures are decoded, otherwise 1
  std::string interface;   // network interface of data connections; empty: the route to the rendezvous
  int port = 0;            // rendezvous port; 0: the launcher's (MASTER_PORT), or a free one on one machine
  std::string rendezvous;  // HOST:PORT that `resist rendezvous` serves; empty: worker 0 or the launcher serves one
  std::string join;        // HOST:PORT or HOST:PORT/JOB of a job that trains, to join it; empty: this starts one
  std::filesystem::path token_file;  // with the job's secret; empty: RESIST_TOKEN has it, or there is none
  std::chrono::seconds rendezvous_timeout{300};
  std::chrono::seconds timeout{600};  // longest wait for a peer within a synchronisation
};

struct Config {
  ModelOptions model;
  DataOptions data;
  PartitionOptions partition;
  TrainOptions train;
  OuterOptions outer;
  SyncOptions sync;
  EvaluationOptions evaluation;
  RunOptions run;
  ClusterOptions cluster;
};

}  // namespace resist
