#include "resist/core/error.h"
#include "resist/report/live_server.h"

namespace resist {

struct LiveServer::Impl {};

LiveServer::LiveServer(const std::vector<std::filesystem::path>& /*run_dirs*/, const LiveServerOptions& /*options*/) {
  throw InputError(
      "can't serve a live page: this resist was built without its server; build it with -DRESIST_WITH_SERVER=ON, or "
      "write a page with resist report");
}

LiveServer::~LiveServer() = default;

int LiveServer::port() const {
  return 0;
}

std::string LiveServer::url() const {
  return "";
}

void serve_runs(const std::vector<std::filesystem::path>& run_dirs, const LiveServerOptions& options,
                const std::atomic<int>& /*stop*/, std::ostream& /*out*/) {
  const LiveServer server(run_dirs, options);
}

}  // namespace resist
