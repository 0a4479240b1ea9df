#include "resist/run/journal.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "resist/core/error.h"
#include "resist/core/hash.h"

namespace resist {
namespace {

std::string checksum(const float* values, std::int64_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(values), static_cast<std::size_t>(size) * sizeof(float));
  return fmt::format("{:016x}", hash_64(bytes));
}

}  // namespace

Journal::Journal() {
  if (const char* folder = std::getenv("RESIST_JOURNAL")) {
    folder_ = folder;
  }
}

void Journal::note(Trainer& trainer, std::int64_t generation, const std::vector<int>& members) const {
  if (folder_.empty()) {
    return;
  }
  WorkerParameters& parameters = trainer.parameters();
  const Layout& layout = parameters.layout();
  nlohmann::json blocks = nlohmann::json::object();
  const auto offsets = parameters.offsets();
  for (std::size_t place = 0; place < offsets.size(); ++place) {
    const int block = parameters.held()[place];
    blocks[std::to_string(block)] = checksum(parameters.values() + offsets[place], layout.blocks[block].size);
  }
  const nlohmann::json line = {{"generation", generation},
                               {"members", members},
                               {"round", trainer.position().round},
                               {"shared", checksum(parameters.values(), layout.shared_size)},
                               {"blocks", blocks}};
  const auto path = folder_ / fmt::format("worker-{}.jsonl", trainer.identity());
  std::ofstream file(path, std::ios::app);
  file << line.dump() << '\n' << std::flush;
  if (!file) {
    throw Error(fmt::format("can't write '{}', which RESIST_JOURNAL asks for", path.string()));
  }
}

}  // namespace resist
