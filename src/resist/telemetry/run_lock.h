#pragma once

#include <filesystem>

namespace resist {

// Whether a process on this machine holds a run's folder: a RunFolder locks it while it lives. `unknown`: there is no
// such folder, or its file system has no locks. The lock of a process on another machine shows as `free` on most
// network file systems.
enum class RunLock { free, held, unknown };

// Does not wait, and keeps nobody from resuming the run: a RunFolder tries again for some seconds.
RunLock probe_run_lock(const std::filesystem::path& run_dir);

}  // namespace resist
