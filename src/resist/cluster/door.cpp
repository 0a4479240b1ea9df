#include "resist/cluster/door.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "resist/core/error.h"

namespace resist {
namespace {

using Address = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

// Of an address in numbers; null where it is none.
Address socket_address(const Endpoint& place) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const bool found = ::getaddrinfo(place.host.c_str(), std::to_string(place.port).c_str(), &hints, &list) == 0;
  return {found ? list : nullptr, ::freeaddrinfo};
}

int new_socket(const addrinfo& address) {
  return ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int port_of(int descriptor) {
  sockaddr_storage own{};
  socklen_t length = sizeof own;
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &length);
  return ntohs(own.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(own).sin6_port
                                         : reinterpret_cast<const sockaddr_in&>(own).sin_port);
}

// A connection under way; its descriptor is -1 where there can be none.
pollfd begin_to_connect(const Endpoint& door) {
  const Address address = socket_address(door);
  pollfd call{.fd = address ? new_socket(*address) : -1, .events = POLLOUT, .revents = 0};
  if (call.fd >= 0 && ::connect(call.fd, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS) {
    ::close(call.fd);
    call.fd = -1;
  }
  return call;
}

Answer answer_on(int descriptor) {
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
  return error == 0 ? Answer::open : error == ECONNREFUSED ? Answer::refused : Answer::none;
}

}  // namespace

Door::Door(const std::string& address) : place_{.host = address, .port = 0, .job = ""} {
  const Address own = socket_address(place_);
  descriptor_ = own ? new_socket(*own) : -1;
  if (descriptor_ < 0 || ::bind(descriptor_, own->ai_addr, own->ai_addrlen) != 0 ||
      ::listen(descriptor_, SOMAXCONN) != 0) {
    const std::string reason = own ? system_message(errno) : "it is no address";
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
    throw Error(fmt::format("can't listen on {}: {}; name the network with --interface", address, reason));
  }
  place_.port = port_of(descriptor_);
}

Door::~Door() {
  ::close(descriptor_);
}

void Door::let_go() {
  for (int callers = 0; callers < SOMAXCONN; ++callers) {  // a flood of them must not hold up who calls this
    const int caller = ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
    if (caller < 0) {
      return;
    }
    ::close(caller);
  }
}

std::vector<Answer> knock(const std::vector<Endpoint>& doors, std::chrono::milliseconds patience) {
  std::vector<pollfd> calls(doors.size());
  std::ranges::transform(doors, calls.begin(), begin_to_connect);
  std::vector<Answer> answers(doors.size(), Answer::none);
  const auto end = std::chrono::steady_clock::now() + patience;
  const auto is_open = [](const pollfd& call) { return call.fd >= 0; };
  while (std::ranges::any_of(calls, is_open)) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0 || ::poll(calls.data(), calls.size(), static_cast<int>(left.count())) <= 0) {
      break;
    }
    for (std::size_t door = 0; door < calls.size(); ++door) {
      if (is_open(calls[door]) && calls[door].revents != 0) {
        answers[door] = answer_on(calls[door].fd);
        ::close(calls[door].fd);
        calls[door].fd = -1;
      }
    }
  }
  for (const pollfd& call : calls) {
    if (is_open(call)) {
      ::close(call.fd);
    }
  }
  return answers;
}

}  // namespace resist
