#include "resist/core/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

#include <cstdlib>

#include "resist/core/error.h"

namespace resist {

void start_logging(int worker) {
  const char* no_color = std::getenv("NO_COLOR");
  const bool color = ::isatty(STDERR_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(color ? spdlog::color_mode::automatic
                                                                          : spdlog::color_mode::never);
  const std::string prefix = worker > 0 ? "resist[worker " + std::to_string(worker) + "]" : "resist";
  sink->set_pattern(prefix + ": %^%v%$");
  auto logger = std::make_shared<spdlog::logger>("resist", std::move(sink));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void log_to_file(const std::filesystem::path& path) {
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
    sink->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    spdlog::default_logger()->sinks().push_back(std::move(sink));
  } catch (const spdlog::spdlog_ex& error) {
    throw InputError(std::string("can't write the log: ") + error.what());
  }
}

}  // namespace resist
