#include <fmt/format.h>
#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>
#include <spdlog/spdlog.h>
#include <store.grpc.pb.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <utility>

#include "resist/comm/grpc_store.h"
#include "resist/comm/key_values.h"
#include "resist/comm/listener.h"
#include "resist/comm/store_service.h"
#include "resist/comm/tls_identity.h"

namespace resist {
namespace {

namespace wire = store::v1;

// A connection that has not greeted by then is closed.
constexpr auto kHandshake = std::chrono::seconds(10);
constexpr auto kShutdown = std::chrono::milliseconds(200);
constexpr int kCallsPerConnection = 64;
constexpr std::size_t kBufferBytes = std::size_t{256} << 20;  // of all connections
constexpr std::size_t kMostConnections = 4096;

// Half of the files that this process may have open.
std::size_t most_connections() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  return std::clamp<std::size_t>(files.rlim_cur / 2, 1, kMostConnections);
}

// Answers when the key is set, or the caller has given up.
class GetAnswer : public grpc::ServerUnaryReactor {
 public:
  GetAnswer(KeyValues& values, const std::string& key, wire::Value& answer) : values_(values) {
    waiting_ = values.wait(key, [this, &answer](const std::string& value) {
      answer.set_value(value);
      Finish(grpc::Status::OK);
    });
  }
  void OnCancel() override {
    if (values_.stop_waiting(waiting_)) {
      Finish(grpc::Status::CANCELLED);
    }
  }
  void OnDone() override { delete this; }

 private:
  KeyValues& values_;
  std::uint64_t waiting_ = 0;
};

class StoreService : public wire::Store::CallbackService {
 public:
  StoreService(std::uint64_t number, std::string job) : number_(number), job_(std::move(job)) {}

  grpc::ServerUnaryReactor* greet(grpc::CallbackServerContext* context, const wire::Greeting* greeting,
                                  wire::Welcome* welcome) override {
    return finish(context, [&] {
      if (!job_.empty() && !greeting->job().empty() && greeting->job() != job_) {
        return grpc::Status(grpc::FAILED_PRECONDITION,
                            fmt::format("it serves the job '{}', not '{}'; give each job a port of its own (--port)",
                                        job_, greeting->job()));
      }
      welcome->set_server(number_);
      return grpc::Status::OK;
    });
  }

  grpc::ServerUnaryReactor* set(grpc::CallbackServerContext* context, const wire::Entry* entry,
                                wire::Done* /*done*/) override {
    return answer(context, *entry, [&] { values_.set(entry->key(), entry->value()); });
  }

  grpc::ServerUnaryReactor* get(grpc::CallbackServerContext* context, const wire::Key* key,
                                wire::Value* value) override {
    if (key->server() != number_) {
      return answer(context, *key, [] {});
    }
    return new GetAnswer(values_, key->key(), *value);  // deletes itself
  }

  grpc::ServerUnaryReactor* find(grpc::CallbackServerContext* context, const wire::Key* key,
                                 wire::MaybeValue* value) override {
    return answer(context, *key, [&] {
      if (auto found = values_.find(key->key())) {
        value->set_value(*std::move(found));
      }
    });
  }

  grpc::ServerUnaryReactor* add(grpc::CallbackServerContext* context, const wire::Amount* amount,
                                wire::Sum* sum) override {
    return answer(context, *amount, [&] { sum->set_sum(values_.add(amount->key(), amount->amount())); });
  }

  grpc::ServerUnaryReactor* set_first(grpc::CallbackServerContext* context, const wire::Entry* entry,
                                      wire::Value* value) override {
    return answer(context, *entry, [&] { value->set_value(values_.set_first(entry->key(), entry->value())); });
  }

  grpc::ServerUnaryReactor* forget(grpc::CallbackServerContext* context, const wire::Key* key,
                                   wire::Done* /*done*/) override {
    return answer(context, *key, [&] { values_.forget(key->key()); });
  }

 private:
  template <typename Work>
  static grpc::ServerUnaryReactor* finish(grpc::CallbackServerContext* context, const Work& work) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(work());
    return reactor;
  }

  template <typename Request, typename Work>
  grpc::ServerUnaryReactor* answer(grpc::CallbackServerContext* context, const Request& request, const Work& work) {
    return finish(context, [&] {
      if (request.server() != number_) {
        return grpc::Status(grpc::FAILED_PRECONDITION, "it was started anew since this worker had joined it");
      }
      try {
        work();
        return grpc::Status::OK;
      } catch (const Error& error) {
        return grpc::Status(grpc::RESOURCE_EXHAUSTED, error.what());
      }
    });
  }

  std::uint64_t number_;
  std::string job_;
  KeyValues values_;
};

std::shared_ptr<grpc::ServerCredentials> credentials(const std::string& token) {
  if (token.empty()) {
    return grpc::InsecureServerCredentials();
  }
  const TlsIdentity identity = tls_identity(token);
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = identity.certificate;
  options.pem_key_cert_pairs = {{identity.private_key, identity.certificate}};
  return grpc::SslServerCredentials(options);
}

std::uint64_t random_number() {
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

class GrpcStoreServer : public StoreServer {
 public:
  GrpcStoreServer(int port, const StoreAccess& access) : service_(random_number(), access.job) {
    prepare_grpc();
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    builder.SetMaxReceiveMessageSize(kMostMessageBytes);
    builder.SetResourceQuota(grpc::ResourceQuota().Resize(kBufferBytes));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kCallsPerConnection);
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                               static_cast<int>(std::chrono::milliseconds(kHandshake).count()));
    acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials(access.token));
    server_ = builder.BuildAndStart();
    if (!server_) {
      throw Error("gRPC can't start a server for the rendezvous");
    }
    const bool loopback = access.token.empty() || access.loopback;
    const auto reach = loopback ? Listener::Reach::loopback : Listener::Reach::everywhere;
    listener_.emplace(reach, port, most_connections(), [this](int descriptor) {
      grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
      connection.fd = descriptor;
      acceptor_->HandleNewConnection(&connection);
    });
  }
  ~GrpcStoreServer() override {
    listener_.reset();
    server_->Shutdown(std::chrono::system_clock::now() + kShutdown);
  }

  int port() const override { return listener_->port(); }

 private:
  StoreService service_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
  std::optional<Listener> listener_;
};

}  // namespace

// gRPC would write a line to standard error for every stranger that it turns away.
void prepare_grpc() {
  ::gpr_set_log_function([](gpr_log_func_args* line) { spdlog::debug("gRPC: {}", line->message); });
}

std::unique_ptr<StoreServer> serve_store(int port, const StoreAccess& access) {
  return std::make_unique<GrpcStoreServer>(port, access);
}

}  // namespace resist
