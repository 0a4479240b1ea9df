#include "resist/checkpoint/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "resist/core/error.h"
#include "resist/core/file.h"
#include "resist/core/hash.h"
#include "resist/core/json_fields.h"
#include "resist/core/json_text.h"

namespace resist {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "resist-checkpoint";
constexpr int kVersion = 1;
constexpr std::size_t kMaxManifestBytes = std::size_t{1} << 24;
constexpr const char* kPartSuffix = ".safetensors";

// What follows the text that the checksum covers.
std::string ending(const std::string& checksum) {
  return fmt::format(",\n  \"manifest_xxh3_128\": \"{}\"\n}}\n", checksum);
}

std::vector<int> whole_numbers(const JsonFields& fields, const char* key, const std::vector<double>& numbers) {
  constexpr double kMost = 1e6;
  std::vector<int> whole;
  whole.reserve(numbers.size());
  for (const double number : numbers) {
    if (!(number >= 0 && number <= kMost && number == std::floor(number))) {
      fields.refuse(key, "must be lists of whole numbers from 0 to a million");
    }
    whole.push_back(static_cast<int>(number));
  }
  return whole;
}

CheckpointState parse_state(const JsonFields& fields) {
  CheckpointState state;
  state.round = fields.whole("round");
  state.iteration = fields.whole("iteration");
  state.samples = fields.whole("samples");
  state.stream_position = fields.whole("stream_position");
  if (fields.has("returned_batches")) {
    state.returned_batches = fields.wholes("returned_batches");
  }
  state.workers = static_cast<int>(fields.whole("workers", 0, std::numeric_limits<int>::max()));
  state.block_scale = fields.numbers("block_scale");
  if (fields.has("paces")) {
    for (const std::vector<double>& hand : fields.number_lists("hands")) {
      state.hands.push_back(whole_numbers(fields, "hands", hand));
    }
    state.paces = fields.number_lists("paces");
  }
  const json& accuracy = fields.at("accuracy");
  if (!accuracy.is_null() && !accuracy.is_number()) {
    fields.refuse("accuracy", "must be a number or null");
  }
  if (accuracy.is_number()) {
    state.accuracy = accuracy.get<double>();
  }
  state.config = fields.at("config");
  return state;
}

}  // namespace

bool is_part_name(const std::string& name) {
  return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::filesystem::path part_path(const std::filesystem::path& folder, const std::string& name) {
  return folder / (name + kPartSuffix);
}

std::string format_manifest(const Manifest& manifest) {
  const CheckpointState& state = manifest.state;
  json parts = json::object();
  for (const auto& [name, digest] : manifest.parts) {
    parts[name + kPartSuffix] = {{"bytes", digest.bytes}, {"xxh3_128", digest.checksum}};
  }
  // Ordered, so that whoever opens the file reads what it is first.
  nlohmann::ordered_json text;
  text["format"] = kFormat;
  text["version"] = kVersion;
  text["round"] = state.round;
  text["iteration"] = state.iteration;
  text["samples"] = state.samples;
  text["stream_position"] = state.stream_position;
  if (!state.returned_batches.empty()) {
    text["returned_batches"] = state.returned_batches;
  }
  text["workers"] = state.workers;
  text["block_scale"] = state.block_scale;
  if (!state.paces.empty()) {
    text["hands"] = state.hands;
    text["paces"] = state.paces;
  }
  text["accuracy"] = nullptr;
  if (state.accuracy && std::isfinite(*state.accuracy)) {
    text["accuracy"] = *state.accuracy;
  }
  text["config"] = state.config;
  text["parts"] = parts;
  std::string body;
  try {
    body = text.dump(2);
  } catch (const json::exception&) {
    throw Error("can't store the checkpoint's state: a text in the configuration is not valid UTF-8");
  }
  body.resize(body.size() - std::string_view("\n}").size());
  std::string result = body + ending(hash_text(body));
  if (result.size() > kMaxManifestBytes) {
    throw Error(fmt::format("can't store the checkpoint's state: {} bytes of JSON, at most {} are allowed",
                            result.size(), kMaxManifestBytes));
  }
  return result;
}

Manifest parse_manifest(const std::string& text, const std::string& file) {
  const std::size_t ending_bytes = ending(hash_text("")).size();
  const std::string body = text.substr(0, text.size() - std::min(text.size(), ending_bytes));
  if (text != body + ending(hash_text(body))) {
    throw InputError(fmt::format("'{}' is damaged: its own checksum does not match", file));
  }
  const json document = parse_strict_json(text, file);
  const JsonFields fields(document, file);
  if (fields.text("format") != kFormat || fields.whole("version") != kVersion) {
    throw InputError(
        fmt::format("'{}' has a format that this version of resist does not know: {} version {}, known is {} "
                    "version {}",
                    file, in_quotes(fields.text("format")), fields.whole("version"), kFormat, kVersion));
  }
  Manifest manifest{parse_state(fields), {}};
  const JsonFields parts(fields.at("parts"), file);
  for (const auto& [key, value] : fields.at("parts").items()) {
    const std::string name =
        key.ends_with(kPartSuffix) ? key.substr(0, key.size() - std::string(kPartSuffix).size()) : "";
    if (!is_part_name(name)) {
      parts.refuse(in_quotes(key).c_str(), "is not the name of a part");
    }
    const JsonFields part(value, file);
    manifest.parts[name] = {part.whole("bytes"), part.text("xxh3_128")};
  }
  return manifest;
}

Manifest read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kManifestFile;
  Manifest manifest = parse_manifest(read_file(path, kMaxManifestBytes), path.string());
  for (const auto& [name, digest] : manifest.parts) {
    const std::filesystem::path part = part_path(folder, name);
    std::error_code problem;
    const auto bytes = std::filesystem::file_size(part, problem);
    if (problem) {
      throw InputError(fmt::format("can't read '{}': {}", part.string(), problem.message()));
    }
    if (bytes != static_cast<std::uintmax_t>(digest.bytes)) {
      throw InputError(
          fmt::format("'{}' is damaged: it has {} bytes, the manifest says {}", part.string(), bytes, digest.bytes));
    }
  }
  return manifest;
}

}  // namespace resist
