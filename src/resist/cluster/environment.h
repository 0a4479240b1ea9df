#pragma once

#include <functional>
#include <optional>
#include <string>

namespace resist {

// Where a rendezvous is served, and which of its jobs is meant.
struct Endpoint {
  std::string host;
  int port = 0;
  std::string job;  // empty: not said
};

// HOST:PORT or HOST:PORT/JOB; an IPv6 address in brackets. InputError names `option`.
Endpoint parse_endpoint(const std::string& option, const std::string& text);
// The reverse.
std::string to_text(const Endpoint& endpoint);

// What a launcher says of this process: one worker of several.
struct LaunchInfo {
  std::string source;  // which launcher, for the log
  int rank = 0;
  int workers = 1;
  std::string rendezvous_address;  // where the rendezvous is served
  int rendezvous_port = 0;
  bool store_is_served = false;  // by the launcher or by `resist rendezvous`; otherwise worker 0 serves it
  int join = 0;                  // which join of the job this is, where the launcher says so; 0: it does not
  std::string job;               // tells jobs, and restarts of one job, apart at a shared rendezvous
  bool one_machine = false;      // all workers are on it
  bool closed = false;           // nobody but the launcher's workers has the job's token
  std::string token;             // the job's secret (token.h); no launcher tells it
};

inline constexpr int kDefaultPort = 29500;  // torchrun's

// Set for workers that resist's own launcher starts under torchrun's variables.
inline constexpr const char* kOwnLauncher = "RESIST_LAUNCHER";
inline constexpr const char* kOpenJob = "open";  // its values: whether others can have the job's token, and join
inline constexpr const char* kClosedJob = "closed";
// Set for a worker that takes the place of a lost one: which join of the job it is.
inline constexpr const char* kJoin = "RESIST_JOIN";

// Reads a variable of the environment.
using Environment = std::function<std::optional<std::string>(const std::string&)>;
Environment process_environment();

// The port beside the one of torchrun's own agent, where worker 0 serves the rendezvous.
int port_beside(int agent_port);

// Finds out how this process was launched: torchrun (or any launcher that sets RANK, WORLD_SIZE, MASTER_ADDR,
// MASTER_PORT), Slurm's srun, Open MPI's mpirun; nothing if by none of these. `rendezvous`: where one is served,
// whatever the launcher says of that. InputError names a variable that is missing or makes no sense.
std::optional<LaunchInfo> detect_launcher(const Environment& environment,
                                          const std::optional<Endpoint>& rendezvous = std::nullopt);

// The same with the job's token. Without one, the rendezvous of workers on one machine is at its loopback address,
// whatever name the launcher gave it.
LaunchInfo with_token(LaunchInfo info, const std::string& token);

// First host of Slurm's compact list ("node[03-05,7],login"): node03.
std::string first_host(const std::string& slurm_node_list);

}  // namespace resist
