#include "resist/comm/store_service.h"
#include "resist/core/error.h"

namespace resist {
namespace {

constexpr const char* kReason =
    "this resist was built without gRPC, so its workers can only be threads of one process; add --in-process, or build "
    "it with -DRESIST_WITH_GRPC=ON";

}  // namespace

std::unique_ptr<StoreServer> serve_store(int /*port*/, const StoreAccess& /*access*/) {
  throw InputError(kReason);
}

std::unique_ptr<StoreConnection> connect_to_store(const std::string& /*address*/, int /*port*/,
                                                  const StoreAccess& /*access*/,
                                                  StoreConnection::Deadline /*deadline*/) {
  throw InputError(kReason);
}

}  // namespace resist
