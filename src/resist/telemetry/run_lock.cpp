#include "resist/telemetry/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace resist {

RunLock probe_run_lock(const std::filesystem::path& run_dir) {
  const int descriptor = ::open(run_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    return RunLock::unknown;
  }
  // A shared lock, so that two who look do not take each other for the run.
  const bool locked = ::flock(descriptor, LOCK_SH | LOCK_NB) == 0;
  const int reason = errno;
  ::close(descriptor);
  if (locked) {
    return RunLock::free;
  }
  return reason == EWOULDBLOCK ? RunLock::held : RunLock::unknown;
}

}  // namespace resist
