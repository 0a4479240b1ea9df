#include "resist/comm/store.h"

#include <fmt/format.h>

#include <utility>

#include "resist/comm/listener.h"
#include "resist/comm/store_service.h"
#include "resist/core/error.h"

namespace resist {
namespace {

constexpr const char* kLoopback = "127.0.0.1";

}  // namespace

void require_token(const std::string& what, const std::string& address, const StoreAccess& access) {
  if (access.token.empty() && !is_loopback_host(address)) {
    throw InputError(fmt::format(
        "{} can be reached by other machines, and this worker has no job token; make one, (umask 077; openssl rand "
        "-hex "
        "32 > job.token), and give it to every worker with --token-file job.token or RESIST_TOKEN in the environment",
        what));
  }
}

struct Store::Impl {
  std::shared_ptr<StoreServer> server;  // where this process serves
  std::shared_ptr<StoreConnection> connection;
  std::string address;
  int port;
  std::chrono::milliseconds deadline;
  std::string prefix;

  std::string where() const { return fmt::format("{}:{}", address, port); }

  // Calls the connection, and says what was lost while doing what.
  template <typename Call>
  auto ask(const char* doing, const std::string& key, const Call& call) const {
    try {
      return call(*connection, prefix + key);
    } catch (const Error& error) {
      throw Error(fmt::format("the rendezvous at {} was lost while {} '{}': {}", where(), doing, key, error.what()));
    }
  }
};

Store::Store(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {
}
Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

Store Store::host(int port, std::chrono::milliseconds deadline, const StoreAccess& access) {
  std::shared_ptr<StoreServer> server = serve_store(port, access);
  const Store joined = join(kLoopback, server->port(), deadline, access);
  Impl impl = *joined.impl_;
  impl.server = std::move(server);
  return Store(std::make_shared<const Impl>(std::move(impl)));
}

Store Store::join(const std::string& address, int port, std::chrono::milliseconds deadline, const StoreAccess& access) {
  require_token(fmt::format("the rendezvous at {}:{}", address, port), address, access);
  try {
    return Store(std::make_shared<const Impl>(Impl{.server = nullptr,
                                                   .connection = connect_to_store(address, port, access, deadline),
                                                   .address = address,
                                                   .port = port,
                                                   .deadline = deadline,
                                                   .prefix = ""}));
  } catch (const InputError& error) {
    throw InputError(fmt::format("the rendezvous at {}:{} refused this worker: {}", address, port, error.what()));
  } catch (const Error& error) {
    throw Error(
        fmt::format("can't reach the rendezvous at {}:{} within {} s: {}; is worker 0 running there, with this "
                    "worker's job token, and the port open?",
                    address, port, std::chrono::duration_cast<std::chrono::seconds>(deadline).count(), error.what()));
  }
}

int Store::port() const {
  return impl_->port;
}

std::chrono::milliseconds Store::deadline() const {
  return impl_->deadline;
}

void Store::set(const std::string& key, const std::string& value) {
  impl_->ask("writing", key, [&](StoreConnection& connection, const std::string& full) {
    connection.set(full, value, impl_->deadline);
  });
}

std::string Store::get(const std::string& key, std::chrono::milliseconds deadline) const {
  try {
    return impl_->connection->get(impl_->prefix + key, deadline);
  } catch (const Error& error) {
    throw Error(fmt::format("the rendezvous at {} has no '{}': {}", impl_->where(), key, error.what()));
  }
}

std::optional<std::string> Store::find(const std::string& key) const {
  return impl_->ask("looking for", key, [&](StoreConnection& connection, const std::string& full) {
    return connection.find(full, impl_->deadline);
  });
}

std::int64_t Store::add(const std::string& key, std::int64_t amount) {
  return impl_->ask("writing", key, [&](StoreConnection& connection, const std::string& full) {
    return connection.add(full, amount, impl_->deadline);
  });
}

std::string Store::set_first(const std::string& key, const std::string& value) {
  return impl_->ask("writing", key, [&](StoreConnection& connection, const std::string& full) {
    return connection.set_first(full, value, impl_->deadline);
  });
}

void Store::forget(const std::string& prefix) {
  impl_->ask("clearing", prefix, [&](StoreConnection& connection, const std::string& full) {
    connection.forget(full + "/", impl_->deadline);
  });
}

Store Store::under(const std::string& prefix) const {
  Impl impl = *impl_;
  impl.prefix += prefix + "/";
  return Store(std::make_shared<const Impl>(std::move(impl)));
}

}  // namespace resist
