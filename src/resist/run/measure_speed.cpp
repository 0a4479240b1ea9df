#include "resist/run/measure_speed.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <system_error>

#include "resist/config/toml_file.h"
#include "resist/core/counted.h"
#include "resist/core/error.h"
#include "resist/core/file.h"
#include "resist/model/operations.h"
#include "resist/telemetry/run_folder.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

constexpr int kFirstIterations = 2;
constexpr double kRoundSeconds = 4;  // local iterations of a measured round, at most
constexpr double kSeconds = 8;       // of all measured rounds together, about
constexpr int kLeastRounds = 3;
constexpr int kMostRounds = 20;
constexpr int kEvaluationBatches = 2;  // of each worker

// Removed in the end, with all that is in it.
class ScratchFolder {
 public:
  ScratchFolder() : path_((fs::temp_directory_path() / "resist-measure-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) {
      throw Error(fmt::format("can't make a folder in '{}': {}", fs::temp_directory_path().string(),
                              std::system_category().message(errno)));
    }
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  fs::path operator/(const char* name) const { return fs::path(path_) / name; }

 private:
  std::string path_;
};

// Runs this program with `train --config FILE`; what it prints goes to `log`. Returns its exit code.
int train_apart(const fs::path& config, const fs::path& log) {
  const std::string config_text = config.string();
  const std::string log_text = log.string();
  const std::array<const char*, 5> arguments = {"resist", "train", "--config", config_text.c_str(), nullptr};
  const pid_t child = ::fork();
  if (child == 0) {
    // Only calls that are safe after fork in a process with threads.
    const int out = ::open(log_text.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out >= 0 && ::dup2(out, STDOUT_FILENO) >= 0 && ::dup2(out, STDERR_FILENO) >= 0) {
      ::execv("/proc/self/exe", const_cast<char* const*>(arguments.data()));
    }
    ::_exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) {
    throw Error(fmt::format("can't start a training: {}", std::system_category().message(errno)));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string last_line(std::string text) {
  text.resize(text.find_last_not_of('\n') + 1);
  return text.substr(text.find_last_of('\n') + 1);
}

// The records of a training's rounds, without the first one, which sets things up.
std::vector<RoundRecord> train_briefly(const Config& config) {
  const ScratchFolder folder;
  Config stored = config;
  stored.run.run_dir = folder / "run";
  write_file_atomically(folder / "config.toml", to_toml(stored));
  if (const int code = train_apart(folder / "config.toml", folder / "log"); code != 0) {
    throw Error(fmt::format("the training that measures this machine ended with {}: {}", code,
                            last_line(read_file(folder / "log"))));
  }
  std::vector<RoundRecord> records = read_metrics(stored.run.run_dir);
  records.erase(records.begin());
  return records;
}

template <typename Figure>
double median(const std::vector<RoundRecord>& records, const Figure& figure) {
  std::vector<double> values;
  values.reserve(records.size());
  for (const RoundRecord& record : records) {
    values.push_back(figure(record));
  }
  std::ranges::sort(values);
  return values[values.size() / 2];
}

Config measured_config(const Config& config, const InputShape& input, const std::vector<int>& depths, int workers) {
  Config measured;
  measured.model = config.model;
  measured.model.depths = depths;
  const std::int64_t tested = std::int64_t{kEvaluationBatches} * config.evaluation.eval_batch_size * workers;
  measured.data.data =  // a fifth as many pictures are its test set
      fmt::format("synthetic:{},{},{},{},{}", 5 * tested, input.channels, input.height, input.width, input.classes);
  measured.train.method = Method::local_sgd;
  measured.train.batch_size = config.train.batch_size;
  measured.train.rounds = 2;
  measured.sync.compress = config.sync.compress;
  measured.evaluation.eval_batch_size = config.evaluation.eval_batch_size;
  measured.evaluation.calibrate_samples = 0;
  measured.run.checkpoint_every = 0;
  measured.cluster.workers.most = workers;
  measured.cluster.threads = config.cluster.threads;
  measured.cluster.precision = config.cluster.precision;
  return measured;
}

}  // namespace

WorkerSpeed measure_speed(const Config& config, const InputShape& input, const std::vector<int>& depths, int workers) {
  Config measured = measured_config(config, input, depths, workers);
  measured.train.local_iterations = kFirstIterations;
  spdlog::info("measuring: {} at once, blocks {}", counted(workers, "worker"), fmt::join(depths, ","));
  const double first = train_briefly(measured).back().seconds_compute / kFirstIterations;
  // Rounds as the training will have them, since each has a cost of its own; shorter ones where that takes long.
  const double iterations = std::clamp<double>(kRoundSeconds / first, 1, config.train.local_iterations);
  measured.train.local_iterations = static_cast<int>(iterations);
  measured.train.rounds =
      1 + static_cast<int>(std::clamp<double>(kSeconds / (first * iterations), kLeastRounds, kMostRounds));
  const std::vector<RoundRecord> records = train_briefly(measured);
  const NetworkSpec spec = make_network_spec(measured, input);
  const Layout layout = make_layout(spec);
  std::vector<int> all(layout.blocks.size());
  std::iota(all.begin(), all.end(), 0);
  const auto sample = static_cast<double>(forward_operations(spec, layout, all));
  const double trained = static_cast<double>(measured.train.local_iterations) * measured.train.batch_size;
  const double tested = static_cast<double>(kEvaluationBatches) * measured.evaluation.eval_batch_size;
  WorkerSpeed speed{.training = kTrainingFactor * sample * trained /
                                median(records, [](const RoundRecord& record) { return record.seconds_compute; }),
                    .evaluation = sample * tested / records.back().seconds_evaluation,
                    .handling = kUsualHandling};
  if (workers > 1) {
    const std::int64_t busiest =
        std::ranges::max(records.back().worker_bytes_sent) + std::ranges::max(records.back().worker_bytes_received);
    speed.handling =
        median(records, [](const RoundRecord& record) { return record.seconds_sync; }) / static_cast<double>(busiest);
  }
  return speed;
}

}  // namespace resist
