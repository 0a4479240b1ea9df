#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace resist {

struct NetworkInterface {
  std::string name;
  std::vector<std::string> addresses;  // IPv4 first; without link-local IPv6 ones
  bool up = false;
  bool loopback = false;
  std::optional<std::int64_t> megabits;  // per second, where the system knows
};

// Those that have an address, in the system's order. Error where they can't be listed.
std::vector<NetworkInterface> network_interfaces();

// This host's name, and the first address that it resolves to (nothing: to none).
struct HostName {
  std::string name;
  std::optional<std::string> address;
};
HostName host_name_and_address();

struct MemoryFacts {
  std::int64_t total_bytes = 0;      // of the machine; 0: not known
  std::int64_t available_bytes = 0;  // without swapping
  std::int64_t limit_bytes = 0;      // the tightest of this process's control groups; 0: none
};
MemoryFacts memory_facts();

struct ProcessorFacts {
  std::string model;
  std::vector<std::string> features;  // of those that make training faster: AVX2, FMA, AVX-512, BF16 ...
  bool slow = false;                  // lacks what libraries' fast kernels are made for
};
ProcessorFacts processor_facts();

// Graphics processors that this machine shows, in words, whether or not this build can compute on them.
std::vector<std::string> graphics_processors();

struct PortRange {
  int first = 0;
  int last = 0;
};
// What the system gives out as ephemeral ports.
std::optional<PortRange> ephemeral_ports();

// Why this TCP port can't be listened on just now (port 0: any port, on the loopback address, and a connection to it);
// nothing where it can.
std::optional<std::string> port_problem(int port);

}  // namespace resist
