#include "resist/cli/doctor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <string_view>

#include "resist/cluster/environment.h"
#include "resist/cluster/interface.h"
#include "resist/config/version.h"
#include "resist/core/counted.h"
#include "resist/core/error.h"
#include "resist/data/known_sets.h"
#include "resist/model/cuda.h"
#include "resist/model/precision.h"

namespace resist {
namespace {

constexpr double kGiga = 1e9;

using nlohmann::json;

KnownSetFact look_for(const KnownSet& set, const std::filesystem::path& data_dir) {
  KnownSetFact fact{.name = set.info.name};
  try {
    fact.folder = find_known_set(set, data_dir).string();
  } catch (const InputError& error) {
    fact.missing = error.what();
  }
  return fact;
}

void find_launcher(DoctorFacts& facts) {
  try {
    if (const auto launched = detect_launcher(process_environment())) {
      facts.launcher = fmt::format("{}: worker {} of {}, rendezvous at {} port {}", launched->source, launched->rank,
                                   launched->workers, launched->rendezvous_address, launched->rendezvous_port);
    }
  } catch (const InputError& error) {
    facts.launcher_problem = error.what();
  }
}

Finding finding(std::string topic, Health health, std::string found, std::string advice = "", json values = {}) {
  return {.topic = std::move(topic),
          .health = health,
          .found = std::move(found),
          .advice = std::move(advice),
          .values = std::move(values)};
}

Finding torch_finding(const TorchFacts& torch) {
  const json values = {{"version", torch.version},
                       {"threads", torch.threads},
                       {"parallel", torch.parallel},
                       {"blas", torch.blas},
                       {"onednn", torch.onednn}};
  if (!torch.problem.empty()) {
    return finding("libtorch", Health::broken, fmt::format("{} can't compute: {}", torch.version, torch.problem),
                   "install libtorch anew, of the same release as resist was built with", values);
  }
  return finding("libtorch", Health::good,
                 fmt::format("{}, {}{}{}", torch.version, torch.parallel.empty() ? "" : torch.parallel + ", ",
                             counted(torch.threads, "thread"), torch.onednn ? ", oneDNN" : ""),
                 "", values);
}

Finding blas_finding(const TorchFacts& torch) {
  if (!torch.fast_blas) {
    return finding("BLAS", Health::note, fmt::format("the reference library, {}", torch.blas),
                   "training is many times slower with it: install libopenblas0-pthread (Debian), which replaces it",
                   {{"library", torch.blas}, {"fast", false}});
  }
  return finding("BLAS", Health::good, torch.blas.empty() ? "part of libtorch" : torch.blas, "",
                 {{"library", torch.blas}, {"fast", true}});
}

Finding cores_finding(const DoctorFacts& facts) {
  const Cores& cores = facts.cores;
  const json values = {{"machine", facts.machine_cores}, {"allowed", cores.allowed}, {"quota", cores.quota}};
  std::string found = fmt::format("{} of the machine's {}", cores.allowed.size(), facts.machine_cores);
  if (cores.quota > 0 && cores.quota < static_cast<double>(cores.allowed.size())) {
    return finding("cores", Health::note,
                   fmt::format("{}, of which control groups allow {:g} cores' worth of time", found, cores.quota),
                   "workers share that out by themselves; more --threads than that make training slower", values);
  }
  if (static_cast<int>(cores.allowed.size()) < facts.machine_cores) {
    return finding("cores", Health::good, found + " (affinity mask)", "", values);
  }
  return finding("cores", Health::good, found, "", values);
}

Finding memory_finding(const MemoryFacts& memory) {
  constexpr double kLittle = 1e9;
  const double limit = static_cast<double>(memory.limit_bytes);
  const double available = static_cast<double>(memory.available_bytes);
  const double usable = limit > 0 ? std::min(limit, available) : available;
  const json values = {{"total_bytes", memory.total_bytes},
                       {"available_bytes", memory.available_bytes},
                       {"limit_bytes", memory.limit_bytes}};
  const std::string found = fmt::format(
      "{:.1f} GB available of {:.1f} GB{}", available / kGiga, static_cast<double>(memory.total_bytes) / kGiga,
      limit > 0 ? fmt::format(", control groups allow {:.1f} GB", limit / kGiga) : "");
  if (memory.total_bytes > 0 && usable < kLittle) {
    return finding("memory", Health::note, found, "'resist plan' says what a worker takes", values);
  }
  return finding("memory", Health::good, found, "", values);
}

Finding processor_finding(const DoctorFacts& facts) {
  const ProcessorFacts& processor = facts.processor;
  const json values = {{"model", processor.model}, {"features", processor.features}, {"bf16", facts.bf16}};
  const std::string found =
      fmt::format("{}{}; --precision auto computes in {}", processor.model.empty() ? "not named" : processor.model,
                  processor.features.empty() ? "" : fmt::format(", {}", fmt::join(processor.features, ", ")),
                  facts.bf16 ? "bf16" : "float32");
  if (processor.slow) {
    return finding("processor", Health::note, found, "without AVX2 and FMA training takes several times as long",
                   values);
  }
  return finding("processor", Health::good, found, "", values);
}

Finding graphics_finding(const DoctorFacts& facts) {
  const json values = {{"found", facts.graphics}, {"usable", facts.usable_graphics}};
  if (facts.graphics.empty() && facts.usable_graphics == 0) {
    return finding("GPU", Health::good, "none found; resist computes on the processor", "", values);
  }
  return finding(
      "GPU", Health::note, fmt::format("{}", fmt::join(facts.graphics, ", ")),
      facts.usable_graphics > 0
          ? "used with --device cuda only, which no GPU has tried yet (docs/gpu.md)"
          : "not used; --device cuda takes NVIDIA's driver and a build with a libtorch for CUDA (docs/gpu.md)",
      values);
}

void add_network(std::vector<Finding>& findings, const DoctorFacts& facts) {
  bool between = false;
  for (const NetworkInterface& interface : facts.interfaces) {
    between = between || (interface.up && !interface.loopback);
    findings.push_back(finding(
        "network", Health::good,
        fmt::format("{} {}{}{}", interface.name, fmt::join(interface.addresses, " "), interface.up ? "" : " (down)",
                    interface.megabits ? fmt::format(" ({} Mbit/s)", *interface.megabits) : ""),
        "",
        {{"interface", interface.name},
         {"addresses", interface.addresses},
         {"up", interface.up},
         {"megabits_per_second", interface.megabits ? json(*interface.megabits) : json()}}));
  }
  if (!between) {
    findings.push_back(finding("network", Health::note, "no interface but the loopback one",
                               "workers on this machine find each other; other machines can't be reached"));
  }
  const bool loopback = !facts.host.address || is_loopback(*facts.host.address);
  findings.push_back(
      finding("host name", loopback && between ? Health::note : Health::good,
              facts.host.address ? fmt::format("{} is {}", facts.host.name, *facts.host.address)
                                 : fmt::format("{} does not resolve", facts.host.name),
              loopback && between
                  ? "fine on one machine; on several give worker 0's real address as MASTER_ADDR, or --interface"
                  : "",
              {{"name", facts.host.name}, {"address", facts.host.address ? json(*facts.host.address) : json()}}));
}

void add_ports(std::vector<Finding>& findings, const DoctorFacts& facts) {
  if (facts.loopback_problem) {
    findings.push_back(finding("ports", Health::broken,
                               fmt::format("no TCP connection over the loopback address: {}", *facts.loopback_problem),
                               "workers of one machine talk over it: is the interface lo up, is there a firewall?"));
  }
  const std::string range =
      facts.ephemeral ? fmt::format("{} to {}", facts.ephemeral->first, facts.ephemeral->last) : "not known";
  json values = {{"rendezvous", kDefaultPort}, {"rendezvous_free", !facts.port_problem}};
  if (facts.ephemeral) {
    values["ephemeral"] = {facts.ephemeral->first, facts.ephemeral->last};
  }
  findings.push_back(
      finding("ports", facts.port_problem ? Health::note : Health::good,
              fmt::format("rendezvous {} {}; ephemeral range {}", kDefaultPort,
                          facts.port_problem ? "can't be listened on: " + *facts.port_problem : "is free", range),
              facts.port_problem
                  ? "give another one with --port (torchrun: --master_port)"
                  : "several machines: open the rendezvous port on worker 0, and the ephemeral range among all workers",
              values));
}

void add_data(std::vector<Finding>& findings, const DoctorFacts& facts) {
  for (const KnownSetFact& set : facts.sets) {
    const bool found = !set.folder.empty();
    findings.push_back(finding("data", found ? Health::good : Health::note,
                               found ? fmt::format("{} in {}", set.name, set.folder) : set.name + " was not found",
                               set.missing, {{"name", set.name}, {"folder", found ? json(set.folder) : json()}}));
  }
}

const char* in_words(Health health) {
  switch (health) {
    case Health::good:
      return "ok";
    case Health::note:
      return "note";
    case Health::broken:
      break;
  }
  return "broken";
}

}  // namespace

DoctorFacts gather_facts(const DoctorCommand& command) {
  DoctorFacts facts;
  facts.release = "resist " + std::string(version());
  facts.torch = torch_facts();
  facts.pictures = RESIST_HAS_PICTURES != 0;
  facts.onnx = RESIST_HAS_ONNX != 0;
  facts.processes = RESIST_HAS_GRPC != 0;
  facts.cores = own_cores(0);
  facts.machine_cores = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  facts.memory = memory_facts();
  facts.processor = processor_facts();
  facts.bf16 = choose_precision(Precision::automatic) == Precision::bf16;
  facts.graphics = graphics_processors();
  facts.usable_graphics = cuda_devices();
  facts.interfaces = network_interfaces();
  facts.host = host_name_and_address();
  facts.ephemeral = ephemeral_ports();
  facts.loopback_problem = port_problem(0);
  facts.port_problem = port_problem(kDefaultPort);
  find_launcher(facts);
  std::error_code problem;
  const auto space = std::filesystem::space(".", problem);
  if (!problem && ::access(".", W_OK) == 0) {
    facts.free_bytes = static_cast<std::int64_t>(space.available);
  }
  for (const KnownSet& set : known_sets()) {
    facts.sets.push_back(look_for(set, command.data_dir));
  }
  return facts;
}

std::vector<Finding> findings_of(const DoctorFacts& facts) {
  std::vector<Finding> findings;
  findings.push_back(finding("version", Health::good, facts.release));
  findings.push_back(torch_finding(facts.torch));
  findings.push_back(blas_finding(facts.torch));
  findings.push_back(facts.pictures ? finding("pictures", Health::good, "JPEG and PNG", "", {{"built_in", true}})
                                    : finding("pictures", Health::note, "this build reads no JPEG or PNG",
                                              "build with -DRESIST_WITH_PICTURES=ON", {{"built_in", false}}));
  findings.push_back(facts.onnx ? finding("ONNX", Health::good, "export to ONNX", "", {{"built_in", true}})
                                : finding("ONNX", Health::note, "this build does not export ONNX",
                                          "build with -DRESIST_WITH_ONNX=ON", {{"built_in", false}}));
  findings.push_back(facts.processes
                         ? finding("gRPC", Health::good, "workers that are processes, on several machines too", "",
                                   {{"built_in", true}})
                         : finding("gRPC", Health::note, "this build's workers are threads of one process",
                                   "build with -DRESIST_WITH_GRPC=ON", {{"built_in", false}}));
  findings.push_back(processor_finding(facts));
  findings.push_back(cores_finding(facts));
  findings.push_back(memory_finding(facts.memory));
  findings.push_back(graphics_finding(facts));
  findings.push_back(facts.free_bytes
                         ? finding("disk", Health::good,
                                   fmt::format("{:.1f} GB free here", static_cast<double>(*facts.free_bytes) / kGiga),
                                   "", {{"free_bytes", *facts.free_bytes}})
                         : finding("disk", Health::note, "this folder can't be written to",
                                   "name another place for runs with --run-dir"));
  add_network(findings, facts);
  add_ports(findings, facts);
  if (!facts.launcher_problem.empty()) {
    findings.push_back(finding("launcher", Health::broken, facts.launcher_problem,
                               "unset these variables, or start through torchrun, srun or mpirun"));
  } else if (!facts.launcher.empty()) {
    findings.push_back(finding("launcher", Health::good, facts.launcher));
  }
  add_data(findings, facts);
  return findings;
}

int print_findings(const std::vector<Finding>& findings, OutputFormat format, std::ostream& out) {
  const auto count = [&](Health health) {
    return std::count_if(findings.begin(), findings.end(), [&](const Finding& one) { return one.health == health; });
  };
  const bool broken = count(Health::broken) > 0;
  if (format == OutputFormat::json) {
    json list = json::array();
    for (const Finding& one : findings) {
      list.push_back({{"topic", one.topic},
                      {"health", in_words(one.health)},
                      {"found", one.found},
                      {"advice", one.advice},
                      {"values", one.values}});
    }
    // Names of files and hosts need not be UTF-8.
    out << json{{"healthy", !broken}, {"findings", list}}.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
    return broken ? kExitFailed : kExitDone;
  }
  for (const Finding& one : findings) {
    out << fmt::format("{:7} {:10} {}\n", in_words(one.health), one.topic, one.found);
    if (!one.advice.empty()) {
      out << fmt::format("{:18} -> {}\n", "", one.advice);
    }
  }
  out << (broken ? "\nsomething that training needs is broken, see above\n"
                 : fmt::format("\nnothing that training needs is broken; notes: {}\n", count(Health::note)));
  return broken ? kExitFailed : kExitDone;
}

}  // namespace resist
