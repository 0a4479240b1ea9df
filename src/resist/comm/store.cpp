#include "resist/comm/store.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>

#include "resist/comm/store_impl.h"
#include "resist/core/error.h"

namespace resist {
namespace {

// The first line of what c10d says; the rest is a C++ backtrace.
std::string first_line(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

// c10d would try every kind of address and log each failure; this says it once.
void check_port_is_free(int port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool bound = ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                     ::listen(descriptor, 1) == 0;
  const std::string reason = system_message(errno);
  ::close(descriptor);
  if (!bound) {
    throw Error(fmt::format("can't serve the rendezvous on port {}: {}; choose another with --port", port, reason));
  }
}

}  // namespace

Store::Store(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {
}
Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

Store Store::host(int port, std::chrono::milliseconds deadline) {
  check_port_is_free(port);
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(port);
  options.isServer = true;
  options.waitWorkers = false;
  options.timeout = deadline;
  try {
    auto store = c10::make_intrusive<c10d::TCPStore>("127.0.0.1", options);
    const int actual_port = store->getPort();
    return Store(std::make_shared<Impl>(Impl{std::move(store), actual_port, deadline}));
  } catch (const std::exception& error) {
    throw Error(
        fmt::format("can't serve the rendezvous on port {}: {}; choose another with --port", port, first_line(error)));
  }
}

Store Store::join(const std::string& address, int port, std::chrono::milliseconds deadline) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(port);
  options.waitWorkers = false;
  options.timeout = deadline;
  try {
    auto store = c10::make_intrusive<c10d::TCPStore>(address, options);
    return Store(std::make_shared<Impl>(Impl{std::move(store), port, deadline}));
  } catch (const std::exception& error) {
    throw Error(fmt::format(
        "can't reach the rendezvous at {}:{} within {} s: {}; is worker 0 running there and the port open?", address,
        port, std::chrono::duration_cast<std::chrono::seconds>(deadline).count(), first_line(error)));
  }
}

int Store::port() const {
  return impl_->port;
}

void Store::set(const std::string& key, const std::string& value) {
  try {
    impl_->store->set(key, std::vector<std::uint8_t>(value.begin(), value.end()));
  } catch (const std::exception& error) {
    throw Error(fmt::format("the rendezvous was lost while writing '{}': {}", key, first_line(error)));
  }
}

std::string Store::get(const std::string& key) const {
  try {
    impl_->store->wait({key}, impl_->deadline);
    const auto value = impl_->store->get(key);
    return {value.begin(), value.end()};
  } catch (const std::exception& error) {
    throw Error(fmt::format("the rendezvous has no '{}': {}", key, first_line(error)));
  }
}

bool Store::has(const std::string& key) const {
  try {
    return impl_->store->check({key});
  } catch (const std::exception& error) {
    throw Error(fmt::format("the rendezvous was lost while looking for '{}': {}", key, first_line(error)));
  }
}

std::int64_t Store::add(const std::string& key, std::int64_t amount) {
  try {
    return impl_->store->add(key, amount);
  } catch (const std::exception& error) {
    throw Error(fmt::format("the rendezvous was lost while writing '{}': {}", key, first_line(error)));
  }
}

std::string Store::set_first(const std::string& key, const std::string& value) {
  try {
    const auto held = impl_->store->compareSet(key, {}, std::vector<std::uint8_t>(value.begin(), value.end()));
    return {held.begin(), held.end()};
  } catch (const std::exception& error) {
    throw Error(fmt::format("the rendezvous was lost while writing '{}': {}", key, first_line(error)));
  }
}

Store Store::under(const std::string& prefix) const {
  return Store(std::make_shared<Impl>(
      Impl{c10::make_intrusive<c10d::PrefixStore>(prefix, impl_->store), impl_->port, impl_->deadline}));
}

}  // namespace resist
