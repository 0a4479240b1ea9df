#pragma once

#include <atomic>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

namespace resist {

struct LiveServerOptions {
  std::string host = "127.0.0.1";  // address or name to listen on
  int port = 0;                    // 0: any that is free
};

// Serves the live page about some runs by HTTP as long as it exists, on threads of its own: GET / is the page, GET
// /data.json the newest report (with ETag and 304), everything else is refused. Reads nothing but the runs' config.toml
// and metrics.jsonl.
//
// A request must name, as its Host, the loopback, the address that it came in by or the host listened on: a page from
// elsewhere whose name was pointed here (DNS rebinding) reads nothing. There is no password: who reaches the address
// sees the runs. Ignores SIGPIPE in this process.
class LiveServer {
 public:
  // InputError where a run can't be shown (WatchedRuns) or the address can't be listened on.
  LiveServer(const std::vector<std::filesystem::path>& run_dirs, const LiveServerOptions& options);
  ~LiveServer();
  LiveServer(const LiveServer&) = delete;
  LiveServer& operator=(const LiveServer&) = delete;

  int port() const;
  std::string url() const;  // http://127.0.0.1:8123/

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// `resist serve`: a LiveServer until `stop` is not 0. Says on `out` where the page is.
void serve_runs(const std::vector<std::filesystem::path>& run_dirs, const LiveServerOptions& options,
                const std::atomic<int>& stop, std::ostream& out);

}  // namespace resist
