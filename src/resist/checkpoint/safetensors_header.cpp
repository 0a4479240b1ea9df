#include "resist/checkpoint/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "resist/core/error.h"
#include "resist/core/json_text.h"

namespace resist {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDimensions = 32;
constexpr const char* kMetadataKey = "__metadata__";

[[noreturn]] void refuse(const std::string& file, const std::string& reason) {
  throw InputError(fmt::format("'{}' is not a usable safetensors file: {}", file, reason));
}

struct Entry {
  TensorSpec spec;
  std::vector<std::int64_t> range;  // first byte, byte after the last
  bool has_dtype = false;
  bool has_shape = false;
  bool has_range = false;
};

// Takes the header's JSON event by event and refuses the first one out of place, so that neither deep nesting nor
// unexpected values are ever stored.
class HeaderHandler : public nlohmann::json_sax<json> {
 public:
  explicit HeaderHandler(const std::string& file) : file_(file) {}

  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;

  bool null() override { unexpected("null"); }
  bool boolean(bool /*value*/) override { unexpected("a boolean"); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { unexpected("a fraction"); }
  bool binary(binary_t& /*value*/) override { unexpected("binary data"); }
  bool number_integer(number_integer_t value) override { unexpected(fmt::format("the number {}", value)); }

  bool number_unsigned(number_unsigned_t value) override {
    if ((place_ != Place::shape && place_ != Place::range) ||
        value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      unexpected(fmt::format("the number {}", value));
    }
    auto& numbers = place_ == Place::shape ? entries.back().spec.shape : entries.back().range;
    if (numbers.size() == (place_ == Place::shape ? kMaxDimensions : 2)) {
      refuse(file_, fmt::format("{} has too many numbers", where()));
    }
    numbers.push_back(static_cast<std::int64_t>(value));
    return true;
  }

  bool string(string_t& value) override {
    if (place_ == Place::metadata) {
      metadata[key_] = value;
    } else if (place_ == Place::dtype) {
      if (value != "F32") {
        refuse(file_, fmt::format("{} is {}, only \"F32\" is accepted", where(), in_quotes(value)));
      }
      place_ = Place::tensor;
    } else {
      unexpected("a string");
    }
    return true;
  }

  bool start_object(std::size_t /*elements*/) override {
    if (place_ == Place::document) {
      place_ = Place::top;
    } else if (place_ == Place::value && key_ == kMetadataKey) {
      place_ = Place::metadata;
    } else if (place_ == Place::value) {
      place_ = Place::tensor;
      entries.emplace_back().spec.name = key_;
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool key(string_t& value) override {
    if (place_ == Place::top) {
      if (!names_.insert(value).second) {
        refuse(file_, fmt::format("the key {} appears twice", in_quotes(value)));
      }
      place_ = Place::value;
    } else if (place_ == Place::metadata) {
      if (metadata.contains(value)) {
        refuse(file_, fmt::format("the metadata key {} appears twice", in_quotes(value)));
      }
    } else {
      start_field(value);
    }
    key_ = value;
    return true;
  }

  bool end_object() override {
    if (place_ == Place::tensor) {
      const Entry& entry = entries.back();
      if (!entry.has_dtype || !entry.has_shape || entry.range.size() != 2) {
        refuse(file_, fmt::format("tensor {} needs dtype, shape and two data_offsets", in_quotes(entry.spec.name)));
      }
    }
    place_ = Place::top;
    return true;
  }

  bool start_array(std::size_t /*elements*/) override {
    if (place_ == Place::shape_value) {
      place_ = Place::shape;
    } else if (place_ == Place::range_value) {
      place_ = Place::range;
    } else {
      unexpected("an array");
    }
    return true;
  }

  bool end_array() override {
    place_ = Place::tensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*last*/, const json::exception& /*error*/) override {
    refuse(file_, fmt::format("its header is not valid JSON at byte {}", position));
  }

 private:
  // Where in the header the next event is; *_value: after the key, before its value.
  enum class Place { document, top, value, metadata, tensor, dtype, shape_value, shape, range_value, range };

  void start_field(const std::string& name) {
    Entry& entry = entries.back();
    bool* seen = nullptr;
    if (name == "dtype") {
      seen = &entry.has_dtype;
      place_ = Place::dtype;
    } else if (name == "shape") {
      seen = &entry.has_shape;
      place_ = Place::shape_value;
    } else if (name == "data_offsets") {
      seen = &entry.has_range;
      place_ = Place::range_value;
    } else {
      refuse(file_, fmt::format("tensor {} has the unknown key {}", in_quotes(entry.spec.name), in_quotes(name)));
    }
    if (*seen) {
      refuse(file_, fmt::format("tensor {} has the key {} twice", in_quotes(entry.spec.name), in_quotes(name)));
    }
    *seen = true;
  }

  std::string where() const {
    if (entries.empty() || place_ <= Place::metadata) {
      return fmt::format("the value of {}", in_quotes(key_));
    }
    return fmt::format("{} of tensor {}", key_, in_quotes(entries.back().spec.name));
  }

  [[noreturn]] void unexpected(const std::string& what) {
    if (place_ == Place::document) {
      refuse(file_, fmt::format("its header is {}, not an object", what));
    }
    refuse(file_, fmt::format("{} can't be {}", where(), what));
  }

  const std::string& file_;
  Place place_ = Place::document;
  std::string key_;
  std::set<std::string> names_;
};

}  // namespace

std::int64_t tensor_bytes(const std::vector<std::int64_t>& shape) {
  std::int64_t bytes = sizeof(float);
  for (const std::int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(bytes, size, &bytes)) {
      return -1;
    }
  }
  return bytes;
}

std::string format_safetensors_header(const std::vector<TensorSpec>& tensors,
                                      const std::map<std::string, std::string>& metadata) {
  std::string text = "{";
  const auto add = [&](const std::string& name, const std::string& value) {
    text += fmt::format("{}{}:{}", text.size() > 1 ? "," : "", json(name).dump(), value);
  };
  try {
    if (!metadata.empty()) {
      add(kMetadataKey, json(metadata).dump());
    }
    std::int64_t end = 0;
    std::set<std::string> names = {kMetadataKey};
    for (const TensorSpec& tensor : tensors) {
      const std::int64_t begin = end;
      const std::int64_t bytes = tensor_bytes(tensor.shape);
      if (bytes < 0 || tensor.shape.size() > kMaxDimensions || __builtin_add_overflow(begin, bytes, &end)) {
        throw Error(fmt::format("tensor {} has an impossible shape", in_quotes(tensor.name)));
      }
      if (!names.insert(tensor.name).second) {
        throw Error(fmt::format("the name {} is taken: tensors need different names", in_quotes(tensor.name)));
      }
      add(tensor.name,
          fmt::format(R"({{"dtype":"F32","shape":{},"data_offsets":[{},{}]}})", json(tensor.shape).dump(), begin, end));
    }
  } catch (const json::exception&) {
    throw Error("a tensor's name or the metadata is not valid UTF-8");
  }
  text += '}';
  text.append((kSafetensorsLengthBytes - text.size() % kSafetensorsLengthBytes) % kSafetensorsLengthBytes, ' ');
  if (text.size() > kSafetensorsMaxHeaderBytes) {
    throw Error(fmt::format("a header of {} bytes is too large for safetensors, at most {} are allowed", text.size(),
                            kSafetensorsMaxHeaderBytes));
  }
  std::string length;
  for (int byte = 0; byte < kSafetensorsLengthBytes; ++byte) {
    length += static_cast<char>(text.size() >> (8 * byte) & 0xFF);
  }
  return length + text;
}

SafetensorsHeader parse_safetensors_header(std::string_view text, std::int64_t data_bytes, const std::string& file) {
  if (!text.starts_with('{')) {
    refuse(file, "its header does not start with '{'");
  }
  HeaderHandler handler(file);
  try {
    json::sax_parse(text, &handler);
  } catch (const json::exception&) {
    refuse(file, "its header is not valid JSON");
  }
  // Stable, so that empty tensors keep the order of the header.
  std::stable_sort(handler.entries.begin(), handler.entries.end(),
                   [](const Entry& a, const Entry& b) { return a.range < b.range; });

  SafetensorsHeader header;
  header.metadata = std::move(handler.metadata);
  for (Entry& entry : handler.entries) {
    const std::string name = in_quotes(entry.spec.name);
    const std::int64_t begin = entry.range[0];
    const std::int64_t end = entry.range[1];
    const std::int64_t bytes = tensor_bytes(entry.spec.shape);
    if (begin != header.data_bytes) {
      refuse(file, fmt::format("the data of tensor {} starts at byte {}, {} byte {}", name, begin,
                               begin < header.data_bytes ? "inside the one that ends at" : "leaving a hole after",
                               header.data_bytes));
    }
    if (bytes < 0) {
      refuse(file, fmt::format("the shape of tensor {} is too large", name));
    }
    if (end < begin || end - begin != bytes) {
      refuse(file,
             fmt::format("tensor {} needs {} bytes, but its data_offsets are {} and {}", name, bytes, begin, end));
    }
    header.data_bytes = end;
    header.offsets.push_back(begin);
    header.tensors.push_back(std::move(entry.spec));
  }
  if (header.data_bytes != data_bytes) {
    refuse(file, fmt::format("its header describes {} bytes of data, the file has {}", header.data_bytes, data_bytes));
  }
  return header;
}

}  // namespace resist
