#include "fuzzer.h"
#include "resist/config/option.h"
#include "resist/config/toml_file.h"

namespace resist {

// A configuration that is taken comes back the same when it is stored and read again.
void fuzz(std::string_view input) {
  Config config;
  apply_settings(config, parse_toml(input, "fuzzed"));
  validate(config);
  Config again;
  apply_settings(again, parse_toml(to_toml(config), "stored"));
  if (to_json(again) != to_json(config)) {
    throw Error("a stored configuration reads back as another one");
  }
}

}  // namespace resist
