#pragma once

#include <spdlog/spdlog.h>

#include <filesystem>
#include <string>

namespace resist {

// Logging goes through spdlog's default logger: spdlog::info("...", ...), warn, error, debug.
// These set it up once per process; libraries never call them.

// Messages go to stderr as "resist: MESSAGE" (worker > 0: "resist[worker N]: ..."), coloured on a terminal unless
// NO_COLOR is set.
void start_logging(int worker = -1);

// Also appends messages, with time stamps, to this file.
void log_to_file(const std::filesystem::path& path);

}  // namespace resist
