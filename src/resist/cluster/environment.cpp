#include "resist/cluster/environment.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

#include "resist/core/error.h"

namespace resist {
namespace {

constexpr int kMaxWorkers = 1 << 16;
constexpr int kMaxPort = 65535;

// Reads the variables of one launcher.
class Variables {
 public:
  Variables(const Environment& environment, std::string launcher)
      : environment_(environment), launcher_(std::move(launcher)) {}

  std::string text(const std::string& name) const {
    const auto value = environment_(name);
    if (!value || value->empty()) {
      throw InputError(fmt::format("{} started this process but the variable {} is not set", launcher_, name));
    }
    return *value;
  }

  int number(const std::string& name, int least, int most) const {
    const std::string value = text(name);
    int result = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
    if (error != std::errc() || end != value.data() + value.size() || result < least || result > most) {
      throw InputError(
          fmt::format("the variable {} is '{}'; it must be a number from {} to {}", name, value, least, most));
    }
    return result;
  }

  int number_or(const std::string& name, int otherwise, int least, int most) const {
    return has(name) ? number(name, least, most) : otherwise;
  }

  bool has(const std::string& name) const {
    const auto value = environment_(name);
    return value && !value->empty();
  }

 private:
  const Environment& environment_;
  std::string launcher_;
};

void read_size_and_rank(const Variables& variables, const std::string& size, const std::string& rank,
                        LaunchInfo& info) {
  info.workers = variables.number(size, 1, kMaxWorkers);
  info.rank = variables.number(rank, 0, info.workers - 1);
}

LaunchInfo from_torchrun(const Environment& environment) {
  const Variables variables(environment, "torchrun");
  LaunchInfo info{.source = environment(kOwnLauncher)            ? "--workers"
                            : environment("TORCHELASTIC_RUN_ID") ? "torchrun's environment (RANK, WORLD_SIZE, "
                                                                   "MASTER_ADDR, MASTER_PORT)"
                                                                 : "RANK and WORLD_SIZE"};
  read_size_and_rank(variables, "WORLD_SIZE", "RANK", info);
  info.rendezvous_address = variables.text("MASTER_ADDR");
  info.rendezvous_port = variables.number("MASTER_PORT", 1, kMaxPort);
  info.join = variables.number_or(kJoin, 0, 1, 1'000'000'000);
  info.store_is_served = environment(kOwnLauncher).has_value();
  info.closed = environment(kOwnLauncher) == kClosedJob;
  if (!info.store_is_served && environment("TORCHELASTIC_USE_AGENT_STORE").value_or("") == "True") {
    info.rendezvous_port = port_beside(info.rendezvous_port);
  }
  info.one_machine = variables.number_or("LOCAL_WORLD_SIZE", 0, 1, kMaxWorkers) == info.workers;
  info.job = environment("TORCHELASTIC_RUN_ID").value_or("torchrun") + "-" +
             environment("TORCHELASTIC_RESTART_COUNT").value_or("0");
  return info;
}

LaunchInfo from_slurm(const Environment& environment) {
  const Variables variables(environment, "Slurm");
  LaunchInfo info{.source = "Slurm's environment (SLURM_PROCID, SLURM_NTASKS)"};
  read_size_and_rank(variables, "SLURM_NTASKS", "SLURM_PROCID", info);
  info.rendezvous_address =
      variables.has("MASTER_ADDR")
          ? variables.text("MASTER_ADDR")
          : first_host(
                variables.text(variables.has("SLURM_STEP_NODELIST") ? "SLURM_STEP_NODELIST" : "SLURM_JOB_NODELIST"));
  // Jobs that share a node must not share a port.
  constexpr int kFirstPort = 20000;
  constexpr int kPorts = 10000;
  const int job_port = kFirstPort + variables.number_or("SLURM_JOB_ID", 0, 0, 2'000'000'000) % kPorts;
  info.rendezvous_port = variables.number_or("MASTER_PORT", job_port, 1, kMaxPort);
  info.one_machine = variables.number_or("SLURM_STEP_NUM_NODES", 0, 1, kMaxWorkers) == 1;
  info.job = environment("SLURM_JOB_ID").value_or("slurm") + "-" + variables.text("SLURM_STEP_ID") + "-" +
             environment("SLURM_RESTART_COUNT").value_or("0");
  return info;
}

LaunchInfo from_open_mpi(const Environment& environment) {
  const Variables variables(environment, "Open MPI");
  LaunchInfo info{.source = "Open MPI's environment (OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE)"};
  read_size_and_rank(variables, "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", info);
  const int on_this_machine = variables.number_or("OMPI_COMM_WORLD_LOCAL_SIZE", 1, 1, kMaxWorkers);
  if (on_this_machine < info.workers && !variables.has("MASTER_ADDR")) {
    throw InputError(
        "mpirun does not tell where worker 0 is; add -x MASTER_ADDR=ADDRESS with the address of its machine");
  }
  info.rendezvous_address = environment("MASTER_ADDR").value_or("127.0.0.1");
  info.rendezvous_port = variables.number_or("MASTER_PORT", kDefaultPort, 1, kMaxPort);
  info.one_machine = on_this_machine == info.workers;
  info.job = environment("PMIX_NAMESPACE").value_or("mpirun");
  return info;
}

}  // namespace

int port_beside(int agent_port) {
  return agent_port < kMaxPort ? agent_port + 1 : agent_port - 1;
}

LaunchInfo with_token(LaunchInfo info, const std::string& token) {
  info.token = token;
  if (token.empty() && info.one_machine) {
    info.rendezvous_address = "127.0.0.1";
  }
  return info;
}

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

Endpoint parse_endpoint(const std::string& option, const std::string& text) {
  const auto slash = text.find('/');
  const std::string place = text.substr(0, slash);
  const auto colon = place.rfind(':');
  Endpoint endpoint{.host = place.substr(0, colon), .job = slash == std::string::npos ? "" : text.substr(slash + 1)};
  if (endpoint.host.starts_with('[') && endpoint.host.ends_with(']')) {
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  }
  const std::string port = colon == std::string::npos ? "" : place.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (endpoint.host.empty() || port.empty() || error != std::errc() || end != port.data() + port.size() ||
      endpoint.port < 1 || endpoint.port > kMaxPort) {
    throw InputError(
        fmt::format("--{} is '{}'; it must be HOST:PORT, with a port from 1 to {}", option, text, kMaxPort));
  }
  return endpoint;
}

std::string to_text(const Endpoint& endpoint) {
  const bool six = endpoint.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}{}{}", six ? "[" : "", endpoint.host, six ? "]" : "", endpoint.port,
                     endpoint.job.empty() ? "" : "/", endpoint.job);
}

std::optional<LaunchInfo> detect_launcher(const Environment& environment, const std::optional<Endpoint>& rendezvous) {
  if (rendezvous) {
    // Said as launchers say it.
    auto info = detect_launcher([&](const std::string& name) {
      return name == "MASTER_ADDR"                    ? std::optional(rendezvous->host)
             : name == "MASTER_PORT"                  ? std::optional(std::to_string(rendezvous->port))
             : name == "TORCHELASTIC_USE_AGENT_STORE" ? std::nullopt
                                                      : environment(name);
    });
    if (info) {
      info->store_is_served = true;
      info->one_machine = false;  // or somebody might look for it at the loopback address instead
    }
    return info;
  }
  if (environment("RANK") && environment("WORLD_SIZE")) {
    return from_torchrun(environment);
  }
  if (environment("OMPI_COMM_WORLD_RANK")) {
    return from_open_mpi(environment);
  }
  // A batch script has a SLURM_PROCID too; only what srun starts is in a step.
  if (environment("SLURM_PROCID") && environment("SLURM_STEP_ID")) {
    return from_slurm(environment);
  }
  return std::nullopt;
}

std::string first_host(const std::string& slurm_node_list) {
  const auto bracket = slurm_node_list.find('[');
  const auto comma = slurm_node_list.find(',');
  if (bracket == std::string::npos || comma < bracket) {
    return slurm_node_list.substr(0, comma);
  }
  const auto end = slurm_node_list.find_first_of(",-]", bracket);
  const auto close = slurm_node_list.find(']', bracket);
  if (close == std::string::npos) {
    throw InputError(fmt::format("the node list '{}' has no closing bracket", slurm_node_list));
  }
  const auto suffix_end = slurm_node_list.find(',', close);
  return slurm_node_list.substr(0, bracket) + slurm_node_list.substr(bracket + 1, end - bracket - 1) +
         slurm_node_list.substr(close + 1, suffix_end == std::string::npos ? suffix_end : suffix_end - close - 1);
}

}  // namespace resist
