#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "resist/checkpoint/checkpoint.h"

namespace resist {

inline constexpr const char* kManifestFile = "manifest.json";

// The manifest of a checkpoint folder, JSON with the keys
//   format            "resist-checkpoint"
//   version           1
//   round, iteration, samples, stream_position, returned_batches (where there are some), workers, block_scale, accuracy
//   (null: not evaluated), config
//                     the fields of CheckpointState
//   hands, paces      the same; left out where they are empty
//   parts             for each file its size and checksum: {"shared.safetensors": {"bytes": N, "xxh3_128": "HEX"}}
//   manifest_xxh3_128 always last: the checksum of the text before it, up to the comma (excluded)
// Checksums are those of core/hash.h; `xxhsum -H2` prints the same digits.
struct Manifest {
  CheckpointState state;
  std::map<std::string, PartDigest> parts;  // by name, without .safetensors
};

bool is_part_name(const std::string& name);  // 1 to 100 of a-z, A-Z, 0-9, _ and -
std::filesystem::path part_path(const std::filesystem::path& folder, const std::string& name);

// Error if the state can't be stored (text that is not UTF-8, or far too large).
std::string format_manifest(const Manifest& manifest);
// InputError naming `file`, unless `text` came from format_manifest.
Manifest parse_manifest(const std::string& text, const std::string& file);

// The manifest of this checkpoint folder. InputError if it or a part is missing, damaged or of the wrong size;
// checksums of parts are not looked at.
Manifest read_manifest(const std::filesystem::path& folder);

}  // namespace resist
