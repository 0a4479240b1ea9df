#include "resist/export/model_metadata.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "resist/config/codec.h"
#include "resist/core/error.h"
#include "resist/core/json_fields.h"
#include "resist/core/json_text.h"
#include "resist/data/dataset_json.h"
#include "resist/export/check_values.h"
#include "resist/model/block.h"

namespace resist {
namespace {

using nlohmann::json;
using Metadata = std::map<std::string, std::string>;

constexpr const char* kFormat = "resist-model";
constexpr const char* kVersion = "1";

// The largest values that options take.
constexpr int kMaxDepth = 1000;
constexpr int kMaxWidth = 4096;

const std::string& text_of(const Metadata& metadata, const std::string& key, const std::string& file) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) {
    refuse_model(file, fmt::format("its metadata has no {}", key));
  }
  return found->second;
}

std::string place(const std::string& file, const char* key) {
  return fmt::format("{}, metadata {}", file, key);
}

json json_of(const Metadata& metadata, const char* key, const std::string& file) {
  return parse_strict_json(text_of(metadata, key, file), place(file, key));
}

template <typename T>
T field(const JsonFields& fields, const char* key, const Codec<T>& codec) {
  const auto value = codec.read(fields.at(key));
  if (!value) {
    fields.refuse(key, "must be " + codec.allowed);
  }
  return *value;
}

void parse_architecture(const json& document, const std::string& file, NetworkSpec& spec) {
  const JsonFields fields(document, file);
  spec.block = field(fields, "block", codecs::choice<BlockType>());
  spec.bottleneck = field(fields, "bottleneck", codecs::switch_value());
  spec.stem = field(fields, "stem", codecs::choice<Stem>());
  spec.final_norm = field(fields, "final_norm", codecs::switch_value());
  spec.depths = field(fields, "depths", codecs::integers(1, kMaxSections, 1, kMaxDepth));
  spec.width = field(fields, "width", codecs::integer<int>(1, kMaxWidth));
}

DatasetInfo parse_info(const Metadata& metadata, const std::string& file) {
  json document = json_of(metadata, "input", file);
  if (document.is_object()) {
    document["name"] = text_of(metadata, "data", file);
    document["classes"] = json_of(metadata, "classes", file);
  }
  DatasetInfo info;
  try {
    info = dataset_info_from_json(document);
  } catch (const InputError& error) {
    refuse_model(file, error.what());
  }
  if (info.classes < 2) {
    refuse_model(file, fmt::format("it has {} classes, at least 2 are needed", info.classes));
  }
  return info;
}

void parse_scales(const json& document, const std::string& file, DeployedModel& model) {
  const JsonFields fields(document, file);
  const auto sections = static_cast<int>(model.spec.depths.size());
  for (const auto& [key, value] : document.items()) {
    const auto section = parse_number<int>(key);
    if (!section || *section < 1 || *section > sections || !value.is_number()) {
      fields.refuse(in_quotes(key).c_str(), fmt::format("must be a section from 1 to {} and have a number", sections));
    }
    model.scaled_sections.push_back(*section);
    model.scales.push_back(value.get<double>());
  }
}

}  // namespace

Metadata format_model_metadata(const DeployedModel& model) {
  const NetworkSpec& spec = model.spec;
  json architecture;
  architecture["block"] = to_word(spec.block);
  architecture["bottleneck"] = spec.bottleneck;
  architecture["stem"] = to_word(spec.stem);
  architecture["final_norm"] = spec.final_norm;
  architecture["depths"] = spec.depths;
  architecture["width"] = spec.width;
  json input = to_json(model.info);
  const json classes = input["classes"];
  input.erase("name");
  input.erase("classes");
  json scales = json::object();
  for (std::size_t i = 0; i < model.scales.size(); ++i) {
    scales[std::to_string(model.scaled_sections[i])] = model.scales[i];
  }
  try {
    return {{"format", kFormat},
            {"version", kVersion},
            {"architecture", architecture.dump()},
            {"input", input.dump()},
            {"classes", classes.dump()},
            {"data", model.info.name},
            {"folded_scales", scales.dump()}};
  } catch (const json::exception&) {
    throw InputError(
        fmt::format("a class's name of {} is not valid UTF-8: rename its folder", in_quotes(model.info.name)));
  }
}

DeployedModel parse_model_metadata(const Metadata& metadata, const std::string& file) {
  if (text_of(metadata, "format", file) != kFormat) {
    refuse_model(file, fmt::format("its format is {}, not \"{}\"", in_quotes(metadata.at("format")), kFormat));
  }
  if (text_of(metadata, "version", file) != kVersion) {
    refuse_model(
        file, fmt::format("its version is {}, this resist reads \"{}\"", in_quotes(metadata.at("version")), kVersion));
  }
  DeployedModel model;
  NetworkSpec& spec = model.spec;
  parse_architecture(json_of(metadata, "architecture", file), place(file, "architecture"), spec);
  model.info = parse_info(metadata, file);
  parse_scales(json_of(metadata, "folded_scales", file), place(file, "folded_scales"), model);
  spec.classes = model.info.classes;
  spec.channels = model.info.channels;
  spec.height = model.info.height;
  spec.image_width = model.info.width;
  spec.partition_sections.clear();
  return model;
}

}  // namespace resist
