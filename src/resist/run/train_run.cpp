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
#include "resist/config/option.h"
#include "resist/config/resolve.h"
#include "resist/core/counted.h"
#include "resist/core/failpoint.h"
#include "resist/core/log.h"
#include "resist/model/device.h"
#include "resist/model/precision.h"
#include "resist/run/replay_run.h"
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

// --join and --rendezvous say where the job is; what would say something else does not go with them.
void check_alone(const ResolvedConfig& resolved, const std::string& option, const std::vector<std::string>& others) {
  for (const std::string& other : others) {
    if (resolved.given.contains(other)) {
      throw InputError(fmt::format("--{} is given with --{}; give only one of them", other, option));
    }
  }
}

Role find_role(const ResolvedConfig& resolved) {
  const ClusterOptions& cluster = resolved.config.cluster;
  std::optional<Endpoint> rendezvous;
  if (!cluster.rendezvous.empty()) {
    check_alone(resolved, "rendezvous", {"port", "in-process"});
    rendezvous = parse_endpoint("rendezvous", cluster.rendezvous);
  }
  auto launched = detect_launcher(process_environment(), rendezvous);
  const bool given = resolved.given.contains("workers");
  if (rendezvous && (!launched || launched->workers == 1)) {
    throw InputError(
        "--rendezvous is for workers that a launcher starts, with RANK and WORLD_SIZE, srun or mpirun; leave it out, "
        "or "
        "give --join to join a job");
  }
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

std::string token_of(const ClusterOptions& cluster) {
  return read_token(cluster.token_file, process_environment());
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
  return fmt::format("{}{}", counted(share.threads, "thread"),
                     share.pinned.empty() ? "" : fmt::format(" on cores {}", fmt::join(share.pinned, ",")));
}

void log_workers(const LaunchInfo& info, const std::vector<WorkerCard>& cards) {
  spdlog::info("{}, told by {}", counted(std::ssize(cards), "worker"), info.source);
  for (std::size_t worker = 0; worker < cards.size(); ++worker) {
    spdlog::info("worker {}: {} at {}, {}, {}, {}", worker, cards[worker].host, cards[worker].address,
                 cards[worker].device, cards[worker].precision,
                 cores_in_words(share_cores(cores_of(cards), static_cast<int>(worker))));
  }
  const std::string address = is_loopback(info.rendezvous_address) ? cards[0].address : info.rendezvous_address;
  if (!info.closed) {
    spdlog::info("while it trains others can join: resist train --join {}",
                 to_text({.host = address, .port = info.rendezvous_port}));
  }
}

// What this worker's card says of its config. Without the resumed run's folder, and where it is to join a job whatever
// that one's options are, it is only what was given to it.
nlohmann::json config_to_compare(const ResolvedConfig& resolved) {
  nlohmann::json shared = shared_json(resolved.config);
  if (resolved.run_elsewhere || !resolved.config.cluster.join.empty()) {
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
  const std::string device = choose_device(config.cluster.device, info.rank);
  return {.host = host_name(),
          .address = config.cluster.interface.empty() ? address_towards(info.rendezvous_address, info.rendezvous_port)
                                                      : address_of_interface(config.cluster.interface),
          .stack = network_stack_id(),
          .version = full_version(),
          .device = device_in_words(device),
          .precision = precision_in_words(config.cluster.precision, multiplies_bf16(device)),
          .cores = own_cores(config.cluster.threads),
          .resumes = !config.run.resume.empty(),
          .config = config_to_compare(resolved)};
}

// Of a worker that joins others. Where the free cores are it can't know, so it stays on none.
CoreShare share_of_joiner(std::vector<WorkerCard> present, const WorkerCard& own) {
  present.push_back(own);
  return {.threads = share_cores(cores_of(present), static_cast<int>(present.size()) - 1).threads, .pinned = {}};
}

JobWorker job_of(const LaunchInfo& info, const WorkerCard& card, const ClusterOptions& cluster) {
  return {.info = info,
          .identity = info.rank,
          .address = card.address,
          .least = cluster.workers.least,
          .most = cluster.workers.most,
          .timeout = cluster.timeout};
}

// Joins a job that trains; where its launcher started this worker, in the place of one that was lost.
int join_job(const ResolvedConfig& resolved, Rendezvous& rendezvous, const WorkerCard& card,
             const std::atomic<int>& stop, std::ostream& out) {
  const WorkerCard first = rendezvous.meet_first(card);
  const Config config = adopt_shared(first.config, resolved.config, resolved.given);
  const LaunchInfo& info = rendezvous.info();
  // A launcher's workers are all on this machine, and this one has the cores of the one that it stands in for.
  const int most = config.cluster.workers.most;
  take_cores(info.join > 0 ? share_cores(std::vector<Cores>(static_cast<std::size_t>(most), card.cores), info.rank)
                           : share_of_joiner(rendezvous.present_cards(), card));
  const TrainingSetup setup = prepare_training(config, most, info.rank);
  rendezvous.check_data(data_digest(setup));
  JobMembership membership(job_of(info, card, config.cluster), info.join);
  start_logging(membership.identity());
  rendezvous.add_card(membership.identity(), card);
  const bool alone = info.join == 0;  // no launcher whose log has the others' words of it
  if (alone) {
    spdlog::info("ready as worker {}; asking the job to let it in at the end of a round", membership.identity());
  }
  Generation generation = membership.join(stop);
  if (alone) {
    spdlog::info("joined; {} workers go on", generation.members.size());
  }
  return join_session(setup, std::move(generation), stop, out, membership);
}

int run_as_worker(const ResolvedConfig& resolved, const LaunchInfo& launched, std::ostream& out) {
  Config config = resolved.config;
  start_logging(launched.rank);
  const std::atomic<int>& stop = watch_signals(/*speaks=*/false);  // its launcher does
  Rendezvous rendezvous(launched, config.cluster.rendezvous_timeout);
  const WorkerCard card = own_card(resolved, launched);
  const auto cards = rendezvous.exchange(card, stop);
  if (!cards) {
    return join_job(resolved, rendezvous, card, stop, out);
  }
  const LaunchInfo& info = rendezvous.info();
  if (resolved.run_elsewhere) {
    config = adopt_shared(cards->front().config, config, resolved.given);
  }
  if (info.rank == 0) {
    log_workers(info, *cards);
  }
  take_cores(share_cores(cores_of(*cards), info.rank));
  // Connected first: if this worker can't go on, the others notice at once.
  const std::shared_ptr<Communicator> communicator = rendezvous.connect(card, config.cluster.timeout);
  const TrainingSetup setup = prepare_training(config, info.workers, info.rank);
  if (info.rank == 0) {
    rendezvous.note_data(data_digest(setup));
  }
  JobMembership membership(job_of(info, card, config.cluster), communicator);
  return train_session(setup, *communicator, stop, out, &membership);
}

// `resist train --join`.
int run_as_joiner(const ResolvedConfig& resolved, std::ostream& out) {
  const ClusterOptions& cluster = resolved.config.cluster;
  check_alone(resolved, "join", {"resume", "replay-membership", "run-dir", "rendezvous", "port", "in-process"});
  const Endpoint at = parse_endpoint("join", cluster.join);
  start_logging();
  const std::atomic<int>& stop = watch_signals(/*speaks=*/true);
  Rendezvous rendezvous(at, token_of(cluster), cluster.rendezvous_timeout, stop);
  spdlog::info("joining the job {} at {}", rendezvous.info().job, cluster.join);
  return join_job(resolved, rendezvous, own_card(resolved, rendezvous.info()), stop, out);
}

// Workers are threads: for tests, for trying things, and for a single worker.
int run_in_process(const TrainingSetup& setup, int workers, std::ostream& out) {
  check_sharing(setup.device, workers);
  const std::atomic<int>& stop = watch_signals(/*speaks=*/true);
  take_cores_in_process(setup.config.cluster.threads, workers);
  std::vector<int> codes(static_cast<std::size_t>(workers));
  run_worker_threads(workers, setup.config.cluster.timeout, [&](Communicator& communicator) {
    codes[static_cast<std::size_t>(communicator.rank())] = train_session(setup, communicator, stop, out);
  });
  return *std::ranges::max_element(codes);
}

}  // namespace

int run_train(const ResolvedConfig& given, const std::vector<std::string>& arguments, std::ostream& out) {
  if (const char* faults = std::getenv("RESIST_FAILPOINT")) {
    set_failpoint_hook(parse_failpoints(faults));
  }
  writes_events(given.config);  // throws where this build can't do what is asked for
  if (!given.config.cluster.join.empty()) {
    return run_as_joiner(given, out);
  }
  const Role role = find_role(given);
  ResolvedConfig resolved = given;
  resolved.config.cluster.workers = role.workers;
  if (resolved.run_elsewhere && (!role.launched || role.launched->rank == 0)) {
    load_run_config(resolved.config.run.resume);  // throws: worker 0 needs the folder
  }
  if (!resolved.config.run.replay_membership.empty()) {
    check_alone(resolved, "replay-membership", {"workers", "restarts", "epochs", "rounds"});
    if (role.launched) {
      throw InputError(fmt::format("--replay-membership trains in one process, but {} starts {}; start it alone",
                                   role.launched->source, role.launched->workers));
    }
    start_logging();
    return run_replay(resolved, out);
  }
  const auto token = [&] { return token_of(resolved.config.cluster); };
  if (role.launched) {
    return run_as_worker(resolved, with_token(*role.launched, token()), out);
  }
  const Config& config = resolved.config;
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
