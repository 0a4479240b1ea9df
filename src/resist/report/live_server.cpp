#include "resist/report/live_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <httplib.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <ostream>
#include <random>
#include <string_view>
#include <thread>

#include "resist/core/error.h"
#include "resist/report/page.h"
#include "resist/report/watched_runs.h"

namespace resist {
namespace {

constexpr int kThreads = 8;
// A browser opens connections ahead of requests; each keeps a thread this long at most.
constexpr time_t kSecondsPatience = 5;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// "[::1]:8123" -> "::1", "LocalHost:8123" -> "localhost".
std::string without_port(const std::string& host) {
  const std::size_t bracket = host.find(']');
  if (host.starts_with("[") && bracket != std::string::npos) {
    return lower(host.substr(1, bracket - 1));
  }
  return lower(host.substr(0, host.find(':')));
}

bool is_loopback(const std::string& host) {
  in_addr address{};
  constexpr std::uint32_t kLoopbackNet = 127;
  const bool in_loopback_net =
      ::inet_pton(AF_INET, host.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == kLoopbackNet;
  return in_loopback_net || host == "localhost" || host == "::1";
}

std::string name_of_machine() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? lower(name) : "";
}

bool is_wildcard(const std::string& host) {
  return host == "0.0.0.0" || host == "::";
}

// Letters and digits that nobody can guess.
std::string make_nonce() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

// Not httplib's default: that lets two servers listen on one port.
void let_port_be_taken_again(int socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

// A content provider sends the text as it is; anything else would be compressed for every request, on a machine that
// has training to do.
void answer(httplib::Response& response, std::string text, const std::string& type) {
  const auto held = std::make_shared<const std::string>(std::move(text));
  response.status = 200;
  response.set_content_provider(held->size(), type,
                                [held](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
                                  // httplib asks for whatever a request's Range says.
                                  const std::size_t there = held->size() - std::min(offset, held->size());
                                  return length <= there && sink.write(held->data() + offset, length);
                                });
}

void refuse(httplib::Response& response, int status, const std::string& reason) {
  response.status = status;
  response.set_content(reason + "\n", "text/plain; charset=utf-8");
}

}  // namespace

struct LiveServer::Impl {
  Impl(const std::vector<std::filesystem::path>& run_dirs, const LiveServerOptions& options)
      : runs(run_dirs), host(lower(options.host)) {
    server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server.set_socket_options(let_port_be_taken_again);
    server.set_keep_alive_max_count(1);
    server.set_keep_alive_timeout(kSecondsPatience);
    server.set_read_timeout(kSecondsPatience);
    server.set_write_timeout(kSecondsPatience);
    server.set_default_headers({{"X-Content-Type-Options", "nosniff"},
                                {"Cross-Origin-Resource-Policy", "same-origin"},
                                {"Referrer-Policy", "no-referrer"},
                                {"Cache-Control", "no-cache"}});
    // Before httplib looks for files or reads a body, so nothing else is ever reached.
    server.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      handle(request, response);
      return httplib::Server::HandlerResponse::Handled;
    });
    server.set_exception_handler(
        [](const httplib::Request&, httplib::Response& response, const std::exception_ptr& problem) {
          try {
            std::rethrow_exception(problem);
          } catch (const std::exception& error) {
            spdlog::error("can't answer a request: {}", error.what());
          }
          refuse(response, 500, "this failed; resist's messages say why");
        });
    if (options.host.empty()) {
      throw InputError("--host is empty: give the address to listen on, such as 127.0.0.1");
    }
    errno = 0;
    if (options.port == 0) {
      port = server.bind_to_any_port(options.host);
    } else {
      port = server.bind_to_port(options.host, options.port) ? options.port : -1;
    }
    if (port < 0) {
      throw InputError(fmt::format("can't listen on {}:{}: {}; give another --host or --port", options.host,
                                   options.port, errno != 0 ? system_message(errno) : "there is no such address here"));
    }
    thread = std::thread([this] {
      server.listen_after_bind();
      ended = true;
    });
    // httplib's stop() would do nothing before this.
    while (!server.is_running() && !ended) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  ~Impl() {
    server.stop();
    thread.join();
  }

  void handle(const httplib::Request& request, httplib::Response& response) {
    if (!may_ask(request)) {
      refuse(response, 403, "this server answers only to the address that it listens on");
    } else if (request.method != "GET" && request.method != "HEAD") {
      response.set_header("Allow", "GET, HEAD");
      refuse(response, 405, "only GET is answered");
    } else if (!request.ranges.empty()) {
      refuse(response, 416, "only the whole is given");
    } else if (request.path == "/") {
      give_page(response);
    } else if (request.path == "/data.json") {
      give_data(request, response);
    } else {
      refuse(response, 404, "there is only / and /data.json");
    }
  }

  bool may_ask(const httplib::Request& request) const {
    if (request.get_header_value_count("Host") != 1) {
      return false;
    }
    const std::string asked = without_port(request.get_header_value("Host"));
    return is_loopback(asked) || asked == host || asked == lower(request.local_addr) ||
           (!is_loopback(host) && asked == name_of_machine());
  }

  void give_page(httplib::Response& response) {
    const std::string nonce = make_nonce();
    response.set_header("Content-Security-Policy",
                        content_security_policy(PageKind::live, nonce) + "; frame-ancestors 'none'");
    const std::lock_guard lock(mutex);
    runs.look();
    answer(response, report_page(runs.runs(), runs.json(), PageKind::live, nonce), "text/html; charset=utf-8");
  }

  void give_data(const httplib::Request& request, httplib::Response& response) {
    const std::lock_guard lock(mutex);
    runs.look();
    const std::string tag = '"' + runs.tag() + '"';
    response.set_header("ETag", tag);
    if (request.get_header_value("If-None-Match") == tag) {
      response.status = 304;
    } else {
      answer(response, runs.json(), "application/json");
    }
  }

  std::mutex mutex;  // guards runs
  WatchedRuns runs;
  std::string host;
  int port = -1;
  std::atomic<bool> ended = false;
  httplib::Server server;
  std::thread thread;
};

LiveServer::LiveServer(const std::vector<std::filesystem::path>& run_dirs, const LiveServerOptions& options)
    : impl_(std::make_unique<Impl>(run_dirs, options)) {
}

LiveServer::~LiveServer() = default;

int LiveServer::port() const {
  return impl_->port;
}

std::string LiveServer::url() const {
  const std::string host = is_wildcard(impl_->host) ? name_of_machine() : impl_->host;
  return host.find(':') == std::string::npos ? fmt::format("http://{}:{}/", host, impl_->port)
                                             : fmt::format("http://[{}]:{}/", host, impl_->port);
}

void serve_runs(const std::vector<std::filesystem::path>& run_dirs, const LiveServerOptions& options,
                const std::atomic<int>& stop, std::ostream& out) {
  const LiveServer server(run_dirs, options);
  if (!is_loopback(lower(options.host))) {
    spdlog::warn("everybody who reaches {} can look at these runs; there is no password", server.url());
  }
  out << server.url() << "  (Ctrl-C ends it)" << std::endl;
  constexpr std::chrono::milliseconds kBetweenLooks{100};
  while (stop.load() == 0) {
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

}  // namespace resist
