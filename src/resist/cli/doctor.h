#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "resist/cli/parse.h"
#include "resist/cluster/cores.h"
#include "resist/cluster/host_facts.h"
#include "resist/run/torch_facts.h"

namespace resist {

// A data set that resist knows by name, as far as it was found.
struct KnownSetFact {
  std::string name;
  std::string folder;   // empty: it was not found
  std::string missing;  // where it was looked for, and how to get it
};

// What this machine is, as far as training cares.
struct DoctorFacts {
  std::string release;  // "resist 0.1.0"
  TorchFacts torch;
  bool pictures = false;  // built in
  bool onnx = false;
  bool processes = false;  // workers can be processes
  Cores cores;
  int machine_cores = 0;
  MemoryFacts memory;
  ProcessorFacts processor;
  bool bf16 = false;                  // what --precision auto would compute in
  std::vector<std::string> graphics;  // that the machine shows
  int usable_graphics = 0;            // that --device cuda would compute on
  std::vector<NetworkInterface> interfaces;
  HostName host;
  std::optional<PortRange> ephemeral;
  std::optional<std::string> loopback_problem;
  std::optional<std::string> port_problem;  // of the usual rendezvous port
  std::string launcher;                     // that started this process; empty: none
  std::string launcher_problem;             // what makes no sense in its variables
  std::optional<std::int64_t> free_bytes;   // on the disk of the current folder; nothing: it can't be written to
  std::vector<KnownSetFact> sets;
};

enum class Health {
  good,
  note,    // works; may be worth knowing or mending
  broken,  // something that training needs does not work
};

struct Finding {
  std::string topic;  // "libtorch", "cores", "data"
  Health health = Health::good;
  std::string found;   // one line
  std::string advice;  // what to do; empty: nothing
  nlohmann::json values;
};

DoctorFacts gather_facts(const DoctorCommand& command);

// Pure.
std::vector<Finding> findings_of(const DoctorFacts& facts);

// Prints what was found. Returns the exit code: 0 unless something is broken.
int print_findings(const std::vector<Finding>& findings, OutputFormat format, std::ostream& out);

}  // namespace resist
