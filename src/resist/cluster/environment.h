#pragma once

#include <functional>
#include <optional>
#include <string>

namespace resist {

// What a launcher says of this process: one worker of several.
struct LaunchInfo {
  std::string source;  // which launcher, for the log
  int rank = 0;
  int workers = 1;
  std::string rendezvous_address;  // where the rendezvous is served
  int rendezvous_port = 0;
  bool store_is_served = false;  // by the launcher itself; otherwise worker 0 serves it
  int join = 0;                  // it joins a job that trains already, as the so manieth; 0: it is there from the start
  std::string job;               // tells jobs, and restarts of one job, apart at a shared rendezvous
  bool one_machine = false;      // all workers are on it
  std::string token;             // the job's secret (token.h); no launcher tells it
};

inline constexpr int kDefaultPort = 29500;  // torchrun's

// Set for workers that resist's own launcher starts under torchrun's variables.
inline constexpr const char* kOwnLauncher = "RESIST_LAUNCHER";
// Set for a worker that takes the place of a lost one: which join of the job it is.
inline constexpr const char* kJoin = "RESIST_JOIN";

// Reads a variable of the environment.
using Environment = std::function<std::optional<std::string>(const std::string&)>;
Environment process_environment();

// The port beside the one of torchrun's own agent, where worker 0 serves the rendezvous.
int port_beside(int agent_port);

// Finds out how this process was launched: torchrun (or any launcher that sets RANK, WORLD_SIZE, MASTER_ADDR,
// MASTER_PORT), Slurm's srun, Open MPI's mpirun; nothing if by none of these. InputError names a variable that is
// missing or makes no sense.
std::optional<LaunchInfo> detect_launcher(const Environment& environment);

// The same with the job's token. Without one, the rendezvous of workers on one machine is at its loopback address,
// whatever name the launcher gave it.
LaunchInfo with_token(LaunchInfo info, const std::string& token);

// First host of Slurm's compact list ("node[03-05,7],login"): node03.
std::string first_host(const std::string& slurm_node_list);

}  // namespace resist
