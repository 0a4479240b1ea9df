#include "resist/cluster/host_facts.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "resist/core/error.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kKibibyte = 1024;

std::string content_of(const fs::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// What stands behind the name in a file of "name: value" lines.
std::string field_of(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1) != name) {
      continue;
    }
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

std::int64_t number_in(const std::string& text) {
  std::int64_t number = 0;
  std::istringstream(text) >> number;
  return number;
}

std::string address_text(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = address->sa_family == AF_INET
                          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(address)->sin_addr)
                          : &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  ::inet_ntop(address->sa_family, bytes, text.data(), text.size());
  return text.data();
}

bool is_link_local(const sockaddr* address) {
  return address->sa_family == AF_INET6 &&
         IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem); !problem && entry != fs::directory_iterator();
       entry.increment(problem)) {
    entries.push_back(entry->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

// A socket that closes.
struct Socket {
  Socket() : descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (descriptor >= 0) {
      ::close(descriptor);
    }
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int descriptor;
};

}  // namespace

std::vector<NetworkInterface> network_interfaces() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) {
    throw Error(fmt::format("can't list network interfaces: {}", system_message(errno)));
  }
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, ::freeifaddrs);
  std::vector<NetworkInterface> interfaces;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const sockaddr* address = entry->ifa_addr;
    if (address == nullptr || (address->sa_family != AF_INET && address->sa_family != AF_INET6) ||
        is_link_local(address)) {
      continue;
    }
    auto known = std::find_if(interfaces.begin(), interfaces.end(),
                              [&](const NetworkInterface& one) { return one.name == entry->ifa_name; });
    if (known == interfaces.end()) {
      NetworkInterface interface;
      interface.name = entry->ifa_name;
      interface.up = (entry->ifa_flags & IFF_UP) != 0 && (entry->ifa_flags & IFF_RUNNING) != 0;
      interface.loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0;
      const std::int64_t speed = number_in(content_of(fs::path("/sys/class/net") / interface.name / "speed"));
      interface.megabits = speed > 0 ? std::optional(speed) : std::nullopt;
      known = interfaces.insert(interfaces.end(), std::move(interface));
    }
    const bool old_kind = address->sa_family == AF_INET;
    known->addresses.insert(old_kind ? known->addresses.begin() : known->addresses.end(), address_text(address));
  }
  return interfaces;
}

HostName host_name_and_address() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  HostName host{.name = name.data(), .address = std::nullopt};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(name.data(), nullptr, &hints, &list) == 0) {
    host.address = address_text(list->ai_addr);
    ::freeaddrinfo(list);
  }
  return host;
}

MemoryFacts memory_facts() {
  const std::string machine = content_of("/proc/meminfo");
  MemoryFacts memory{.total_bytes = number_in(field_of(machine, "MemTotal")) * kKibibyte,
                     .available_bytes = number_in(field_of(machine, "MemAvailable")) * kKibibyte};
  // Version 2 of control groups: one line "0::/PATH"; each group above limits too.
  std::istringstream lines(content_of("/proc/self/cgroup"));
  std::string line;
  while (std::getline(lines, line) && !line.starts_with("0::/")) {
  }
  fs::path group = line.starts_with("0::/") ? fs::path(line.substr(4)) : fs::path();
  for (bool above = true; above; group = group.parent_path()) {
    above = !group.empty();
    const std::int64_t limit = number_in(content_of(fs::path("/sys/fs/cgroup") / group / "memory.max"));
    if (limit > 0 && (memory.limit_bytes == 0 || limit < memory.limit_bytes)) {
      memory.limit_bytes = limit;
    }
  }
  return memory;
}

ProcessorFacts processor_facts() {
  ProcessorFacts processor{.model = field_of(content_of("/proc/cpuinfo"), "model name")};
#ifdef __x86_64__
  const auto add = [&](bool has, const char* name) {
    if (has) {
      processor.features.emplace_back(name);
    }
  };
  add(__builtin_cpu_supports("avx2") != 0, "AVX2");
  add(__builtin_cpu_supports("fma") != 0, "FMA");
  add(__builtin_cpu_supports("avx512f") != 0, "AVX-512");
  add(__builtin_cpu_supports("avx512bf16") != 0, "BF16");
  processor.slow = __builtin_cpu_supports("avx2") == 0 || __builtin_cpu_supports("fma") == 0;
#endif
  return processor;
}

std::vector<std::string> graphics_processors() {
  std::vector<std::string> found;
  for (const fs::path& folder : entries_of("/proc/driver/nvidia/gpus")) {
    const std::string model = field_of(content_of(folder / "information"), "Model");
    found.push_back(model.empty() ? "an NVIDIA GPU" : model);
  }
  if (found.empty()) {
    for (const fs::path& device : entries_of("/dev")) {
      const std::string name = device.filename().string();
      const bool numbered =
          name.starts_with("nvidia") && name.size() > 6 && name.find_first_not_of("0123456789", 6) == std::string::npos;
      if (numbered || name == "kfd") {
        found.emplace_back(numbered ? "an NVIDIA GPU" : "an AMD GPU");
      }
    }
  }
  return found;
}

std::optional<PortRange> ephemeral_ports() {
  PortRange range;
  std::istringstream numbers(content_of("/proc/sys/net/ipv4/ip_local_port_range"));
  return numbers >> range.first >> range.last ? std::optional(range) : std::nullopt;
}

std::optional<std::string> port_problem(int port) {
  const Socket listener;
  const int on = 1;
  ::setsockopt(listener.descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(port == 0 ? INADDR_LOOPBACK : INADDR_ANY);
  auto* const general = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener.descriptor, general, sizeof address) != 0 || ::listen(listener.descriptor, 1) != 0) {
    return system_message(errno);
  }
  if (port == 0) {
    const Socket caller;
    socklen_t length = sizeof address;
    if (::getsockname(listener.descriptor, general, &length) != 0 ||
        ::connect(caller.descriptor, general, sizeof address) != 0) {
      return system_message(errno);
    }
  }
  return std::nullopt;
}

}  // namespace resist
