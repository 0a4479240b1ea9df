#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <store.grpc.pb.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "resist/comm/grpc_store.h"
#include "resist/comm/store_service.h"
#include "resist/comm/tls_identity.h"
#include "resist/core/error.h"

namespace resist {
namespace {

namespace wire = store::v1;
using Clock = std::chrono::system_clock;  // gRPC's

constexpr auto kRetry = std::chrono::milliseconds(50);  // while the server is not there yet

std::shared_ptr<grpc::Channel> make_channel(const std::string& address, int port, const std::string& token) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMostMessageBytes);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // each store has a connection of its own
  const std::string target = address.find(':') == std::string::npos ? fmt::format("dns:///{}:{}", address, port)
                                                                    : fmt::format("dns:///[{}]:{}", address, port);
  if (token.empty()) {
    return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
  }
  const TlsIdentity identity = tls_identity(token);
  arguments.SetSslTargetNameOverride(kTlsName);
  return grpc::CreateCustomChannel(target,
                                   grpc::SslCredentials({.pem_root_certs = identity.certificate,
                                                         .pem_private_key = identity.private_key,
                                                         .pem_cert_chain = identity.certificate}),
                                   arguments);
}

bool says(const grpc::Status& status, std::string_view words) {
  return status.error_message().find(words) != std::string::npos;
}

// What is wrong with the job token, as far as OpenSSL's words in gRPC's tell; empty: nothing that waiting can't mend.
std::string_view wrong_token(const grpc::Status& status) {
  if (says(status, "certificate verify failed") || says(status, "CERTIFICATE_VERIFY_FAILED")) {
    return "it has another job token, or is not resist; give every worker the same token";
  }
  if (says(status, "wrong version number") || says(status, "WRONG_VERSION_NUMBER")) {
    return "it has no job token and this worker has one, or it is not resist; give both the same token, or neither";
  }
  return {};
}

// A server that speaks TLS ends such a connection without a word.
constexpr std::string_view kClosed = "Socket closed";
constexpr std::string_view kTokenMissing =
    "it closes connections that have no job token, or is not resist; give this worker the job's, with --token-file or "
    "RESIST_TOKEN in the environment";

class GrpcStoreConnection : public StoreConnection {
 public:
  GrpcStoreConnection(const std::string& address, int port, const StoreAccess& access, Deadline deadline) {
    const auto end = Clock::now() + deadline;
    wire::Greeting greeting;
    greeting.set_job(access.job);
    bool was_closed = false;
    std::string reason;  // of the latest attempt; one that the deadline cut short tells less than those before it
    while (true) {
      // A new channel each time: one that has failed waits for long before it tries again.
      stub_ = wire::Store::NewStub(make_channel(address, port, access.token));
      grpc::ClientContext context;
      context.set_deadline(end);
      wire::Welcome welcome;
      const grpc::Status status = stub_->greet(&context, greeting, &welcome);
      if (status.ok()) {
        server_ = welcome.server();
        return;
      }
      if (status.error_code() == grpc::FAILED_PRECONDITION) {
        throw InputError(status.error_message());
      }
      if (const auto wrong = wrong_token(status); !wrong.empty()) {
        throw InputError(std::string(wrong));
      }
      was_closed = was_closed || says(status, kClosed);
      if (reason.empty() || status.error_code() != grpc::DEADLINE_EXCEEDED) {
        reason = status.error_message();
      }
      if (Clock::now() + kRetry > end) {
        if (access.token.empty() && was_closed) {
          throw InputError(std::string(kTokenMissing));
        }
        throw Error(reason);
      }
      if (access.gives_up && access.gives_up()) {
        throw Error("given up");
      }
      std::this_thread::sleep_for(kRetry);
    }
  }

  void set(const std::string& key, const std::string& value, Deadline deadline) override {
    call(&wire::Store::Stub::set, entry(key, value), deadline);
  }

  std::string get(const std::string& key, Deadline deadline) override {
    return std::move(*call(&wire::Store::Stub::get, named(key), deadline).mutable_value());
  }

  std::optional<std::string> find(const std::string& key, Deadline deadline) override {
    auto found = call(&wire::Store::Stub::find, named(key), deadline);
    return found.has_value() ? std::optional(std::move(*found.mutable_value())) : std::nullopt;
  }

  std::int64_t add(const std::string& key, std::int64_t amount, Deadline deadline) override {
    wire::Amount request;
    request.set_server(server_);
    request.set_key(key);
    request.set_amount(amount);
    return call(&wire::Store::Stub::add, request, deadline).sum();
  }

  std::string set_first(const std::string& key, const std::string& value, Deadline deadline) override {
    return std::move(*call(&wire::Store::Stub::set_first, entry(key, value), deadline).mutable_value());
  }

  void forget(const std::string& prefix, Deadline deadline) override {
    call(&wire::Store::Stub::forget, named(prefix), deadline);
  }

 private:
  wire::Key named(const std::string& key) const {
    wire::Key request;
    request.set_server(server_);
    request.set_key(key);
    return request;
  }

  wire::Entry entry(const std::string& key, const std::string& value) const {
    wire::Entry request;
    request.set_server(server_);
    request.set_key(key);
    request.set_value(value);
    return request;
  }

  template <typename Request, typename Response>
  Response call(grpc::Status (wire::Store::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                const Request& request, Deadline deadline) {
    grpc::ClientContext context;
    context.set_deadline(Clock::now() + deadline);
    Response response;
    const grpc::Status status = (stub_.get()->*method)(&context, request, &response);
    if (status.error_code() == grpc::DEADLINE_EXCEEDED) {
      throw Error(fmt::format("no answer within {} ms", deadline.count()));
    }
    if (!status.ok()) {
      throw Error(status.error_message());
    }
    return response;
  }

  std::unique_ptr<wire::Store::Stub> stub_;
  std::uint64_t server_ = 0;  // the number of the server that was joined
};

}  // namespace

std::unique_ptr<StoreConnection> connect_to_store(const std::string& address, int port, const StoreAccess& access,
                                                  StoreConnection::Deadline deadline) {
  prepare_grpc();
  return std::make_unique<GrpcStoreConnection>(address, port, access, deadline);
}

}  // namespace resist
