#include "resist/core/error.h"

#include <system_error>

namespace resist {

std::string system_message(int error_number) {
  return std::system_category().message(error_number);
}

}  // namespace resist
