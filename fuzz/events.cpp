#include "fuzzer.h"
#include "resist/tensorboard/events.h"
#include "resist/tensorboard/record_file.h"

namespace resist {

void fuzz(std::string_view input) {
  std::string_view rest = input;
  while (const auto event = take_record(rest)) {
    event_step(*event);
  }
  event_step(input);  // a changed record hardly ever has the right checksums
}

}  // namespace resist
