#include <limits>
#include <memory>

#include "resist/config/codec.h"
#include "resist/config/model_presets.h"
#include "resist/config/option.h"

namespace resist {
namespace {

using namespace codecs;

constexpr std::int64_t kMany = 1'000'000'000'000;
constexpr int kManyInt = 1'000'000;
constexpr std::int64_t kWeekSeconds = 7 * 24 * 3600;

enum class Scope {
  run,     // fixed for the whole run, the same on all workers
  resume,  // the same on all workers, may change when a run is resumed
  worker,  // each worker's own business
};

// Adds the options of one group.
template <typename Options>
class GroupTable {
 public:
  GroupTable(std::vector<Option>& table, std::string group, Options Config::*options)
      : table_(table), group_(std::move(group)), options_(options) {}

  template <typename T>
  void add(const std::string& name, T Options::*member, const Codec<T>& codec, std::string help,
           Scope scope = Scope::run) {
    const auto shared = std::make_shared<const Codec<T>>(codec);
    Option option;
    option.name = name;
    option.group = group_;
    option.help = std::move(help);
    option.value_name = codec.value_name;
    option.repeatable = std::is_same_v<T, std::vector<std::string>>;
    option.allowed = codec.allowed;
    option.words = codec.words;
    option.may_change_on_resume = scope != Scope::run;
    option.same_on_all_workers = scope != Scope::worker;
    option.parse = [name, shared](const std::string& given) {
      const auto value = shared->from_text(given);
      if (!value) {
        refuse(name, given, shared->allowed, shared->words);
      }
      return *value;
    };
    option.set = [name, shared, member, options = options_](Config& config, const nlohmann::json& given) {
      auto value = shared->read(given);
      if (!value) {
        refuse(name, given, shared->allowed, shared->words);
      }
      config.*options.*member = std::move(*value);
    };
    option.get = [shared, member, options = options_](const Config& config) {
      return shared->write(config.*options.*member);
    };
    table_.push_back(std::move(option));
  }

 private:
  std::vector<Option>& table_;
  std::string group_;
  Options Config::*options_;
};

void add_model(std::vector<Option>& table) {
  using O = ModelOptions;
  GroupTable<O> group(table, "Model", &Config::model);
  const std::string names =
      "preact- or postact- with small, resnet18, resnet34, resnet101, resnet152 or resnet200; preact-bottleneck50, "
      "101, "
      "152 or 200";
  group.add("model", &O::model, word(model_names(), "NAME", names), "network: " + names);
  group.add("depths", &O::depths, integers(0, 8, 1, 1000), "blocks of each section; empty: the model's");
  group.add("width", &O::width, integer<int>(0, 4096),
            "channels of section 1, doubled by each later one; 0: the model's");
  group.add("stem", &O::stem, or_auto(choice<Stem>()), "first layer; conv7 also pools, for large pictures");
  group.add("final-norm", &O::final_norm, or_auto(switch_value()), "a norm and rectifier before the average pool");
  group.add("zero-init", &O::zero_init, switch_value(),
            "start residual branches at zero: their last convolutions, or norms behind them");
  group.add("classes", &O::classes, integer<int>(0, kManyInt), "classes to tell apart; 0: the data set's");
  group.add("channels", &O::channels, integer<int>(0, 1024), "input channels; 0: the data set's");
  group.add("image-size", &O::image_size, integer<int>(0, 4096),
            "input height and width in pixels; 0: what suits the data set");
}

void add_data(std::vector<Option>& table) {
  using O = DataOptions;
  GroupTable<O> group(table, "Data", &Config::data);
  group.add("data", &O::data, text("NAME"), "known name, picture folder, packed file, or synthetic:N,C,H,W,CLASSES");
  group.add("data-dir", &O::data_dir, path(), "folder of a known data set; empty: the usual places", Scope::worker);
  group.add("data-mode", &O::data_mode, choice<DataMode>(), "a data stream for each worker, or one for all");
  group.add("holdout", &O::holdout, integer<std::int64_t>(0, kMany),
            "training samples held out to evaluate on meanwhile");
  group.add("crop-padding", &O::crop_padding, or_auto(integer<int>(0, 1024)), "zero padding before the random crop");
  group.add("crop-area", &O::crop_area, or_auto(number(0, 1)),
            "least share of the picture in a random resized crop; 0: no such crop");
  group.add("flip", &O::flip, or_auto(switch_value()), "flip pictures horizontally at random");
  group.add("skip-corrupt", &O::skip_corrupt, integer<int>(0, kManyInt), "damaged pictures left out, at most",
            Scope::resume);
}

void add_training(std::vector<Option>& table) {
  using O = TrainOptions;
  GroupTable<O> group(table, "Training", &Config::train);
  group.add("recipe", &O::recipe, choice<Recipe>(), "what the settings below are unless they are given");
  group.add("method", &O::method, choice<Method>(), "how the workers train together");
  group.add("epochs", &O::epochs, number(0, 1e6), "passes over the training set by all workers together",
            Scope::resume);
  group.add("rounds", &O::rounds, integer<std::int64_t>(0, kMany), "rounds to train, instead of epochs", Scope::resume);
  group.add("local-iterations", &O::local_iterations, integer<int>(1, kManyInt), "optimizer steps of a round");
  group.add("max-local-iterations", &O::max_local_iterations, integer<int>(0, kManyInt),
            "lengthen rounds to these as the learning rate falls, with its inverse square; 0: don't");
  group.add("batch-size", &O::batch_size, integer<int>(1, 65536), "samples of a batch, per worker");
  group.add("lr", &O::lr, number(0, 1000), "learning rate");
  group.add("schedule", &O::schedule, choice<Schedule>(), "how the learning rate falls");
  group.add("lr-warmup-epochs", &O::lr_warmup_epochs, or_auto(number(0, 1e6)),
            "epochs over which the learning rate rises first; auto: a twentieth of all");
  group.add("momentum", &O::momentum, number(0, 0.9999), "momentum of SGD");
  group.add("nesterov", &O::nesterov, switch_value(), "Nesterov momentum");
  group.add("weight-decay", &O::weight_decay, number(0, 1), "weight decay");
  group.add("decay-norms", &O::decay_norms, switch_value(), "weight decay on norms' parameters and biases too");
  group.add("label-smoothing", &O::label_smoothing, number(0, 0.9999), "share of the target spread over all classes");
  group.add("stochastic-depth", &O::stochastic_depth, number(0, 0.9999),
            "probability that an iteration leaves a block of the partitioned sections out");
  group.add("momentum-sync", &O::momentum_sync, or_auto(choice<MomentumSync>()), "momentum at a synchronisation");
  group.add("warmup-epochs", &O::warmup_epochs, number(0, 1e6), "epochs of local SGD before resist deals blocks out");
  group.add("full-depth-epochs", &O::full_depth_epochs, number(0, 1e6), "epochs of local SGD at the end");
  group.add("seed", &O::seed, integer<std::uint64_t>(0, std::numeric_limits<std::int64_t>::max()),
            "what every random choice follows from");
}

void add_partition(std::vector<Option>& table) {
  using O = PartitionOptions;
  GroupTable<O> group(table, "Partition", &Config::partition);
  group.add("partition", &O::partition, choice<PartitionMode>(),
            "deal every worker as many blocks, or each block once");
  group.add("min-blocks", &O::min_blocks, or_auto(integer<int>(1, 1000)), "fewest blocks a worker holds of a section");
  group.add("final-min-blocks", &O::final_min_blocks, or_auto(integer<int>(1, 1000)),
            "what --min-blocks grows to over the training; auto: it stays");
  group.add("dealing", &O::dealing, choice<Dealing>(),
            "blocks at random, or at random from every stratum of the depth");
  group.add("deal-every", &O::deal_every, integer<int>(1, kManyInt), "rounds that blocks stay with their holders");
  group.add("balance", &O::balance, choice<Balance>(),
            "speed: faster workers hold more blocks, so that all end their rounds at about the same time");
  group.add("partition-sections", &O::partition_sections, integers(1, 8, 1, 8), "sections whose blocks are dealt out");
  group.add("partition-first-blocks", &O::partition_first_blocks, switch_value(),
            "also deal out sections' first blocks");
  group.add("scale-blocks", &O::scale_blocks, switch_value(),
            "scale blocks in evaluation by the probability that a worker holds them");
}

void add_outer(std::vector<Option>& table) {
  using O = OuterOptions;
  GroupTable<O> group(table, "Synchronisation", &Config::outer);
  group.add("outer-lr", &O::lr, number(1e-6, 10), "how far agreed parameters follow the workers' mean");
  group.add("outer-momentum", &O::momentum, number(0, 0.9999), "momentum of agreed parameters over synchronisations");
  group.add("outer-nesterov", &O::nesterov, switch_value(), "Nesterov momentum over synchronisations");
}

void add_synchronisation(std::vector<Option>& table) {
  using O = SyncOptions;
  GroupTable<O> group(table, "Synchronisation", &Config::sync);
  group.add("compress", &O::compress, choice<Compression>(),
            "how shared parameters travel; blocks with 8 bits or more");
  group.add("overlap", &O::overlap, switch_value(), "average shared parameters while the next round trains");
  group.add("overlap-iterations", &O::overlap_iterations, or_auto(integer<int>(1, kManyInt)),
            "local iterations after which an overlapped average lands; auto: a fifth of a round's");
  group.add("protect", &O::protect, choice<Protection>(),
            "keep a copy of every block that one worker alone holds, so that none is lost with it", Scope::resume);
  group.add("last-section-every", &O::last_section_every, integer<int>(1, kManyInt),
            "rounds between averages of the last section's shared parameters");
}

void add_evaluation(std::vector<Option>& table) {
  using O = EvaluationOptions;
  GroupTable<O> group(table, "Evaluation", &Config::evaluation);
  group.add("eval", &O::eval, named_paths(), "a further test set; any number of times", Scope::resume);
  group.add("eval-every", &O::eval_every, integer<int>(0, kManyInt), "rounds between evaluations; 0: at the end only",
            Scope::resume);
  group.add("inference", &O::inference, choice<Inference>(),
            "evaluate all blocks, scaled, or the mean of the sub-networks' logits");
  group.add("eval-batch-size", &O::eval_batch_size, integer<int>(1, 65536), "largest batch of an evaluation");
  group.add("calibrate-samples", &O::calibrate_samples, integer<std::int64_t>(0, kMany),
            "training samples that norms' running statistics are computed from at the end; 0: none", Scope::resume);
}

void add_run(std::vector<Option>& table) {
  using O = RunOptions;
  GroupTable<O> group(table, "Run", &Config::run);
  group.add("run-dir", &O::run_dir, path(), "new folder for everything the run writes; empty: runs/...", Scope::worker);
  group.add("resume", &O::resume, path(), "go on with the run in this folder", Scope::worker);
  group.add("replay-membership", &O::replay_membership, path(),
            "train the run in this folder again, in this process, with workers that come and go as they did",
            Scope::worker);
  group.add("checkpoint-every", &O::checkpoint_every, integer<int>(0, kManyInt),
            "rounds between checkpoints, besides the last and each new best accuracy; 0: only those", Scope::resume);
  group.add("keep-checkpoints", &O::keep_checkpoints, integer<int>(1, kManyInt),
            "newest checkpoints kept, besides the best", Scope::resume);
  group.add("record-round", &O::record_round, integer<std::int64_t>(0, kMany),
            "write this round's inputs and results to the run folder", Scope::resume);
  group.add("tensorboard", &O::tensorboard, or_auto(switch_value()),
            "write event files for TensorBoard; auto: where this build can", Scope::worker);
}

void add_cluster(std::vector<Option>& table) {
  using O = ClusterOptions;
  GroupTable<O> group(table, "Workers", &Config::cluster);
  group.add(
      "workers", &O::workers, worker_count(1024),
      "how many workers train, or the fewest with which a job that loses some goes on and how many it starts with; "
      "0: as the launcher says, or 1",
      Scope::resume);
  group.add("restarts", &O::restarts, integer<int>(0, kManyInt),
            "how many lost workers the launcher on this machine replaces, in all", Scope::worker);
  group.add("in-process", &O::in_process, switch_value(), "workers are threads of one process", Scope::resume);
  group.add("device", &O::device, device(), "what to compute on; auto: the processor", Scope::worker);
  group.add("precision", &O::precision, choice<Precision>(),
            "of convolutions; auto: bf16 where the device multiplies it", Scope::worker);
  group.add("threads", &O::threads, integer<int>(0, 1024), "threads per worker; 0: the cores shared out",
            Scope::worker);
  group.add("loader-threads", &O::loader_threads, integer<int>(0, 1024),
            "threads per worker that prepare batches; 0: as many as suit the data", Scope::worker);
  group.add("interface", &O::interface, text_or_empty("NAME"), "network interface for data; empty: the route's",
            Scope::worker);
  group.add("port", &O::port, integer<int>(0, 65535), "rendezvous port; 0: the launcher's or a free one",
            Scope::resume);
  group.add("rendezvous", &O::rendezvous, text_or_empty("HOST:PORT"),
            "where `resist rendezvous` runs; empty: the launcher or worker 0 serves the rendezvous", Scope::worker);
  group.add("join", &O::join, text_or_empty("HOST:PORT"),
            "join the job whose rendezvous is there, as one more worker; all else comes from the job", Scope::worker);
  group.add("token-file", &O::token_file, path(),
            "private file with the secret that a job on several machines needs; empty: RESIST_TOKEN", Scope::worker);
  group.add("rendezvous-timeout", &O::rendezvous_timeout, integer<std::chrono::seconds>(1, kWeekSeconds),
            "longest wait for all workers to arrive", Scope::resume);
  group.add("timeout", &O::timeout, integer<std::chrono::seconds>(1, kWeekSeconds),
            "longest wait for a worker within a synchronisation", Scope::resume);
}

std::vector<Option> make_table() {
  std::vector<Option> table;
  add_model(table);
  add_data(table);
  add_training(table);
  add_partition(table);
  add_synchronisation(table);
  add_outer(table);
  add_evaluation(table);
  add_run(table);
  add_cluster(table);
  return table;
}

}  // namespace

const std::vector<Option>& option_table() {
  static const std::vector<Option> table = make_table();
  return table;
}

}  // namespace resist
