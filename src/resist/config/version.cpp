#include "resist/config/version.h"

namespace resist {

std::string_view version() {
  return RESIST_VERSION;
}

}  // namespace resist
