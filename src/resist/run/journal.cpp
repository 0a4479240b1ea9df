#include "resist/run/journal.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "resist/core/error.h"
#include "resist/core/hash.h"

namespace resist {

Journal::Journal() {
  if (const char* folder = std::getenv("RESIST_JOURNAL")) {
    folder_ = folder;
  }
}

void Journal::note(Trainer& trainer) const {
  if (folder_.empty()) {
    return;
  }
  WorkerParameters& parameters = trainer.parameters();
  const Layout& layout = parameters.layout();
  const auto digest = [&](std::int64_t offset, std::int64_t size) {
    return hash_values({parameters.values() + offset, static_cast<std::size_t>(size)});
  };
  nlohmann::json blocks = nlohmann::json::object();
  const auto offsets = parameters.offsets();
  for (std::size_t place = 0; place < offsets.size(); ++place) {
    const int block = parameters.held()[place];
    blocks[std::to_string(block)] = digest(offsets[place], layout.blocks[block].size);
  }
  const nlohmann::json line = {{"generation", trainer.generation().number},
                               {"members", trainer.generation().members},
                               {"round", trainer.position().round},
                               {"shared", digest(0, layout.shared_size)},
                               {"blocks", blocks}};
  const auto path = folder_ / fmt::format("worker-{}.jsonl", trainer.identity());
  std::ofstream file(path, std::ios::app);
  file << line.dump() << '\n' << std::flush;
  if (!file) {
    throw Error(fmt::format("can't write '{}', which RESIST_JOURNAL asks for", path.string()));
  }
}

}  // namespace resist
