#include "resist/cluster/interface.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <set>

#include "resist/core/error.h"
#include "resist/core/file.h"

namespace resist {
namespace {

std::string address_text(const sockaddr* address) {
  std::array<char, NI_MAXHOST> text{};
  const socklen_t length = address->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  const int result = ::getnameinfo(address, length, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  if (result != 0) {
    throw Error(fmt::format("can't write a network address as text: {}", ::gai_strerror(result)));
  }
  return text.data();
}

}  // namespace

std::string address_towards(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  const int result = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (result != 0) {
    throw Error(fmt::format("can't resolve the rendezvous host '{}': {}", host, ::gai_strerror(result)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, ::freeaddrinfo);
  std::string reason;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    const int descriptor = ::socket(entry->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_storage own{};
    socklen_t length = sizeof own;
    const bool found = descriptor >= 0 && ::connect(descriptor, entry->ai_addr, entry->ai_addrlen) == 0 &&
                       ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &length) == 0;
    reason = system_message(errno);
    if (descriptor >= 0) {
      ::close(descriptor);
    }
    if (found) {
      return address_text(reinterpret_cast<const sockaddr*>(&own));
    }
  }
  throw Error(fmt::format("there is no route to the rendezvous at {}:{}: {}", host, port, reason));
}

std::string address_of_interface(const std::string& name) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) {
    throw Error(fmt::format("can't list network interfaces: {}", system_message(errno)));
  }
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, ::freeifaddrs);
  std::set<std::string> names;
  std::string found;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr ||
        (entry->ifa_addr->sa_family != AF_INET && entry->ifa_addr->sa_family != AF_INET6)) {
      continue;
    }
    names.insert(entry->ifa_name);
    if (name == entry->ifa_name && (found.empty() || entry->ifa_addr->sa_family == AF_INET)) {
      found = address_text(entry->ifa_addr);
    }
  }
  if (found.empty()) {
    throw InputError(fmt::format("--interface {}: there is no such network interface with an address; there are {}",
                                 name, fmt::join(names, ", ")));
  }
  return found;
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

std::string network_stack_id() {
  return read_file("/proc/sys/kernel/random/boot_id") + std::filesystem::read_symlink("/proc/self/ns/net").string();
}

}  // namespace resist
