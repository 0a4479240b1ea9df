#include "resist/run/train_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <optional>

#include "resist/cluster/cores.h"
#include "resist/cluster/interface.h"
#include "resist/cluster/job_membership.h"
#include "resist/cluster/local_launcher.h"
#include "resist/cluster/rendezvous.h"
#include "resist/cluster/token.h"
#include "resist/comm/worker_threads.h"
#include "resist/config/enum_words.h"
#include "resist/config/option.h"
#include "resist/config/resolve.h"
#include "resist/core/failpoint.h"
#include "resist/core/heap.h"
#include "resist/core/log.h"
#include "resist/model/precision.h"
#include "resist/run/signals.h"
#include "resist/run/threads.h"
#include "resist/run/training_session.h"
#include "resist/run/version.h"
#include "resist/telemetry/run_folder.h"
#include "resist/tensorboard/event_writer.h"
#include "resist/train/training_setup.h"

namespace resist {
namespace {

// How this process takes part: what launched it, or what it has to launch.
struct Role {
  std::optional<LaunchInfo> launched;          // this process is one of several workers
  WorkerCount workers{.least = 1, .most = 1};  // S
};

Role find_role(const ResolvedConfig& resolved) {
  const ClusterOptions& cluster = resolved.config.cluster;
  auto launched = detect_launcher(process_environment());
  const bool given = resolved.given.contains("workers");
  // A launcher of one process only gives it a place to run; how many workers it starts there is the options' to say.
  if (!launched || cluster.in_process || launched->workers == 1) {
    return {.launched = std::nullopt,
            .workers = {.least = cluster.workers.least, .most = std::max(1, cluster.workers.most)}};
  }
  if (given && cluster.workers.most != launched->workers) {
    throw InputError(
        fmt::format("--workers {} does not fit {}, which says {}; leave --workers out, or start {} workers",
                    cluster.workers.most, launched->source, launched->workers, cluster.workers.most));
  }
  if (cluster.port != 0 && resolved.given.contains("port")) {
    launched->rendezvous_port = cluster.port;
  }
  const WorkerCount workers{.least = given ? cluster.workers.least : 1, .most = launched->workers};
  return {.launched = std::move(launched), .workers = workers};
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::vector<Cores> cores_of(const std::vector<WorkerCard>& cards) {
  std::vector<Cores> cores;
  cores.reserve(cards.size());
  for (const WorkerCard& card : cards) {
    cores.push_back(card.cores);
  }
  return cores;
}

std::string cores_in_words(const CoreShare& share) {
  return fmt::format("{} thread{}{}", share.threads, share.threads == 1 ? "" : "s",
                     share.pinned.empty() ? "" : fmt::format(" on cores {}", fmt::join(share.pinned, ",")));
}

void log_workers(const LaunchInfo& info, const std::vector<WorkerCard>& cards) {
  spdlog::info("{} workers, told by {}", cards.size(), info.source);
  for (std::size_t worker = 0; worker < cards.size(); ++worker) {
    spdlog::info("worker {}: {} at {}, {}, {}, {}", worker, cards[worker].host, cards[worker].address,
                 cards[worker].device, cards[worker].precision,
                 cores_in_words(share_cores(cores_of(cards), static_cast<int>(worker))));
  }
}

// What this worker's card says of its config. Without the resumed run's folder it is only what was given to it.
nlohmann::json config_to_compare(const ResolvedConfig& resolved) {
  nlohmann::json shared = shared_json(resolved.config);
  if (resolved.run_elsewhere) {
    for (const auto& option : option_table()) {
      if (!resolved.given.contains(option.name)) {
        shared.erase(option.name);
      }
    }
  }
  return shared;
}

// What a worker of several says of itself.
WorkerCard own_card(const ResolvedConfig& resolved, const LaunchInfo& info) {
  const Config& config = resolved.config;
  return {.host = host_name(),
          .address = config.cluster.interface.empty() ? address_towards(info.rendezvous_address, info.rendezvous_port)
                                                      : address_of_interface(config.cluster.interface),
          .stack = network_stack_id(),
          .version = full_version(),
          .device = "cpu",
          .precision = std::string(to_word(choose_precision(config.cluster.precision))),
          .cores = own_cores(config.cluster.threads),
          .resumes = !config.run.resume.empty(),
          .config = config_to_compare(resolved)};
}

void take_cores(const std::vector<Cores>& all, int worker) {
  const CoreShare share = share_cores(all, worker);
  if (!share.pinned.empty()) {
    stay_on(share.pinned);
  }
  keep_freed_memory();
  set_compute_threads(share.threads);
}

int run_as_worker(const ResolvedConfig& resolved, const LaunchInfo& info, WorkerCount workers, std::ostream& out) {
  Config config = resolved.config;
  config.cluster.workers = workers;
  start_logging(info.rank);
  const std::atomic<int>& stop = watch_signals(/*speaks=*/false);  // its launcher does
  Rendezvous rendezvous(info, config.cluster.rendezvous_timeout);
  const WorkerCard card = own_card(resolved, info);
  const auto cards = rendezvous.exchange(card, stop);
  if (resolved.run_elsewhere) {
    config = adopt_shared(cards[0].config, config, resolved.given);
  }
  if (info.rank == 0) {
    log_workers(info, cards);
  }
  take_cores(cores_of(cards), info.rank);
  // Connected first: if this worker can't go on, the others notice at once.
  const std::shared_ptr<Communicator> communicator = rendezvous.connect(card, config.cluster.timeout);
  const TrainingSetup setup = prepare_training(config, info.workers);
  if (info.rank == 0) {
    rendezvous.note_data(data_digest(setup));
  }
  JobMembership membership({.info = info,
                            .identity = info.rank,
                            .address = card.address,
                            .least = workers.least,
                            .timeout = config.cluster.timeout},
                           communicator);
  return train_session(setup, *communicator, stop, out, &membership);
}

// Takes the place of a worker that was lost, or of one that the job has not had.
int join_as_worker(const ResolvedConfig& resolved, const LaunchInfo& info, WorkerCount workers, std::ostream& out) {
  start_logging(info.rank);
  const std::atomic<int>& stop = watch_signals(/*speaks=*/false);
  Rendezvous rendezvous(info, resolved.config.cluster.rendezvous_timeout);
  const WorkerCard card = own_card(resolved, info);
  const WorkerCard first = rendezvous.meet_first(card);
  Config config = adopt_shared(first.config, resolved.config, resolved.given);
  config.cluster.workers = workers;
  take_cores(std::vector<Cores>(static_cast<std::size_t>(workers.most), card.cores), info.rank);
  const TrainingSetup setup = prepare_training(config, workers.most);
  rendezvous.check_data(data_digest(setup));
  JobMembership membership(
      {.info = info, .address = card.address, .least = workers.least, .timeout = config.cluster.timeout}, info.join);
  start_logging(membership.identity());
  Generation generation = membership.join(stop);
  return join_session(setup, std::move(generation), stop, out, membership);
}

// Workers are threads: for tests, for trying things, and for a single worker.
int run_in_process(const TrainingSetup& setup, int workers, std::ostream& out) {
  const std::atomic<int>& stop = watch_signals(/*speaks=*/true);
  const std::vector<Cores> same(static_cast<std::size_t>(workers), own_cores(setup.config.cluster.threads));
  keep_freed_memory();
  set_compute_threads(share_cores(same, 0).threads);
  std::vector<int> codes(static_cast<std::size_t>(workers));
  run_worker_threads(workers, setup.config.cluster.timeout, [&](Communicator& communicator) {
    codes[static_cast<std::size_t>(communicator.rank())] = train_session(setup, communicator, stop, out);
  });
  return *std::ranges::max_element(codes);
}

}  // namespace

int run_train(const ResolvedConfig& resolved, const std::vector<std::string>& arguments, std::ostream& out) {
  const Role role = find_role(resolved);
  if (const char* faults = std::getenv("RESIST_FAILPOINT")) {
    set_failpoint_hook(parse_failpoints(faults));
  }
  writes_events(resolved.config);  // throws where this build can't do what is asked for
  if (resolved.run_elsewhere && (!role.launched || role.launched->rank == 0)) {
    load_run_config(resolved.config.run.resume);  // throws: worker 0 needs the folder
  }
  const auto token = [&] { return read_token(resolved.config.cluster.token_file, process_environment()); };
  if (role.launched) {
    const LaunchInfo info = with_token(*role.launched, token());
    return info.join > 0 ? join_as_worker(resolved, info, role.workers, out)
                         : run_as_worker(resolved, info, role.workers, out);
  }
  Config config = resolved.config;
  config.cluster.workers = role.workers;
  start_logging();
  if (config.run.resume.empty() && !config.run.run_dir.empty()) {
    RunFolder::require_new(config.run.run_dir);
  }
  {
    // Wrong input is found here, before anything is started or written.
    const TrainingSetup setup = prepare_training(config, role.workers.most);
    if (role.workers.most == 1 || config.cluster.in_process) {
      return run_in_process(setup, role.workers.most, out);
    }
  }
  return launch_workers({.arguments = arguments,
                         .workers = role.workers.most,
                         .least = role.workers.least,
                         .restarts = config.cluster.restarts,
                         .port = config.cluster.port,
                         .token = token(),
                         .deadline = config.cluster.rendezvous_timeout},
                        watch_signals(/*speaks=*/true));
}

}  // namespace resist
