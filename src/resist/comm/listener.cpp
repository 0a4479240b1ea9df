#include "resist/comm/listener.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "resist/core/error.h"

namespace resist {
namespace {

constexpr int kBacklog = 512;
// Before trying again where the system has no descriptor to give.
constexpr auto kPause = std::chrono::milliseconds(100);

bool is_loopback(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    constexpr std::uint32_t kLoopbackNetwork = 127;
    return ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24 == kLoopbackNetwork;
  }
  return address.sa_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

struct Bound {
  int socket;
  int port;
};

// Nothing, and errno, where the address can't be listened on.
std::optional<Bound> listen_at(sockaddr_storage address, socklen_t length) {
  const int descriptor = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) {
    return std::nullopt;
  }
  const int on = 1;
  const int off = 0;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // connections inherit it
  if (address.ss_family == AF_INET6) {
    ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(descriptor, generic, length) != 0 || ::listen(descriptor, kBacklog) != 0 ||
      ::getsockname(descriptor, generic, &length) != 0) {
    const int reason = errno;
    ::close(descriptor);
    errno = reason;
    return std::nullopt;
  }
  const bool six = address.ss_family == AF_INET6;
  return Bound{.socket = descriptor,
               .port = ntohs(six ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                 : reinterpret_cast<sockaddr_in&>(address).sin_port)};
}

Bound listen_on(Listener::Reach reach, int port) {
  const auto network_port = htons(static_cast<std::uint16_t>(port));
  sockaddr_storage four{};
  auto& four_in = reinterpret_cast<sockaddr_in&>(four);
  four_in.sin_family = AF_INET;
  four_in.sin_addr.s_addr = htonl(reach == Listener::Reach::loopback ? INADDR_LOOPBACK : INADDR_ANY);
  four_in.sin_port = network_port;
  std::optional<Bound> bound;
  if (reach == Listener::Reach::everywhere) {  // both kinds of addresses, where the system has both
    sockaddr_storage six{};
    auto& six_in = reinterpret_cast<sockaddr_in6&>(six);
    six_in.sin6_family = AF_INET6;
    six_in.sin6_addr = in6addr_any;
    six_in.sin6_port = network_port;
    bound = listen_at(six, sizeof six_in);
  }
  if (!bound && (reach == Listener::Reach::loopback || errno != EADDRINUSE)) {
    bound = listen_at(four, sizeof four_in);
  }
  if (!bound) {
    throw Error(fmt::format("can't serve the rendezvous on port {}: {}; choose another with --port", port,
                            system_message(errno)));
  }
  return *bound;
}

// What a descriptor stands for, as no other open one does; empty if it is closed.
std::string identity_of(int descriptor) {
  std::error_code closed;
  return std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", descriptor), closed).string();
}

}  // namespace

bool is_loopback_host(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) {
    return false;
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, ::freeaddrinfo);
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (!is_loopback(*entry->ai_addr)) {
      return false;
    }
  }
  return true;
}

Listener::Listener(Reach reach, int port, std::size_t most, Accepted accepted)
    : socket_(-1), wake_(-1), port_(0), most_(most), accepted_(std::move(accepted)) {
  const Bound bound = listen_on(reach, port);
  socket_ = bound.socket;
  port_ = bound.port;
  wake_ = ::eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread([this] { run(); });
}

Listener::~Listener() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
  thread_.join();
  ::close(wake_);
  ::close(socket_);
}

// Who took a connection closes it and says nothing, so those that are closed by now are found out where it matters.
bool Listener::has_room() {
  if (open_.size() >= most_) {
    std::erase_if(open_, [](const auto& entry) { return identity_of(entry.first) != entry.second; });
  }
  return open_.size() < most_;
}

void Listener::run() {
  std::array<pollfd, 2> events = {{{.fd = wake_, .events = POLLIN}, {.fd = socket_, .events = POLLIN}}};
  bool refused = false;
  while (true) {
    if (::poll(events.data(), events.size(), -1) < 0 && errno != EINTR) {
      return;
    }
    if (events[0].revents != 0) {
      return;
    }
    const int descriptor = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        std::this_thread::sleep_for(kPause);
      }
      continue;
    }
    if (has_room()) {
      open_[descriptor] = identity_of(descriptor);
      accepted_(descriptor);
      continue;
    }
    ::close(descriptor);
    if (!std::exchange(refused, true)) {
      spdlog::warn("the rendezvous has {} connections, the most that it takes, and refuses more", most_);
    }
  }
}

}  // namespace resist
