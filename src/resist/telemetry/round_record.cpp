#include "resist/telemetry/round_record.h"

#include <fmt/format.h>

#include <limits>

#include "resist/core/error.h"

namespace resist {
namespace {

using nlohmann::json;

constexpr const char* kWorkers = "workers";
constexpr const char* kFurther = "further";

[[noreturn]] void refuse(const char* key, const char* reason) {
  throw InputError(fmt::format("\"{}\" {}", key, reason));
}

// JSON has no numbers for what is not finite.
void parse(const json& value, const char* key, double& result) {
  if (!value.is_number() && !value.is_null()) {
    refuse(key, "must be a number or null");
  }
  result = value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

void parse(const json& value, const char* key, std::int64_t& result) {
  constexpr auto kMaximum = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<std::uint64_t>() > kMaximum)) {
    refuse(key, "must be a whole number");
  }
  result = value.get<std::int64_t>();
}

void parse(const json& value, const char* key, int& result) {
  constexpr std::int64_t kMaximum = std::numeric_limits<int>::max();
  std::int64_t whole = 0;
  parse(value, key, whole);
  if (whole < -kMaximum || whole > kMaximum) {
    refuse(key, "is too large");
  }
  result = static_cast<int>(whole);
}

template <typename Number>
void parse(const json& value, const char* key, std::vector<Number>& result) {
  if (!value.is_array()) {
    refuse(key, "must be a list");
  }
  result.clear();
  for (const json& element : value) {
    parse(element, key, result.emplace_back());
  }
}

template <typename Number>
void parse(const json& value, const char* key, std::optional<Number>& result) {
  parse(value, key, result.emplace());
}

// One table of keys, walked for writing and for reading.
class Write {
 public:
  explicit Write(json& object) : object_(object) {}

  template <typename Value>
  void operator()(const char* key, const Value& value) {
    object_[key] = value;
  }
  template <typename Number>
  void operator()(const char* key, const std::optional<Number>& value) {
    if (value) {
      object_[key] = *value;
    }
  }

 private:
  json& object_;
};

class Read {
 public:
  explicit Read(const json& object) : object_(object) {}

  template <typename Value>
  void operator()(const char* key, Value& value) {
    if (!object_.contains(key)) {
      refuse(key, "is missing");
    }
    parse(object_[key], key, value);
  }
  template <typename Number>
  void operator()(const char* key, std::optional<Number>& value) {
    value.reset();
    if (object_.contains(key)) {
      parse(object_[key], key, value);
    }
  }

 private:
  const json& object_;
};

template <typename Record, typename Visit>
void visit_fields(Record& record, Visit visit) {
  visit("round", record.round);
  visit("epoch", record.epoch);
  visit("loss", record.loss);
  visit("learning_rate", record.learning_rate);
  visit("samples", record.samples);
  visit("seconds_compute", record.seconds_compute);
  visit("seconds_sync", record.seconds_sync);
  visit("seconds_wait", record.seconds_wait);
  visit("seconds_evaluation", record.seconds_evaluation);
  visit("bytes_sent", record.bytes_sent);
  visit("bytes_received", record.bytes_received);
  visit("peak_memory_bytes", record.peak_memory_bytes);
  visit("next_blocks", record.next_blocks);
  visit("accuracy", record.accuracy);
  visit("top5_accuracy", record.top5_accuracy);
  visit("test_loss", record.test_loss);
  visit("eval_batch_size", record.eval_batch_size);
  visit("eval_permutation_seed", record.eval_permutation_seed);
}

template <typename Record, typename Visit>
void visit_worker_fields(Record& record, Visit visit) {
  visit("loss", record.worker_loss);
  visit("seconds_compute", record.worker_seconds_compute);
  visit("seconds_sync", record.worker_seconds_sync);
  visit("seconds_wait", record.worker_seconds_wait);
  visit("bytes_sent", record.worker_bytes_sent);
  visit("bytes_received", record.worker_bytes_received);
  visit("peak_memory_bytes", record.worker_peak_memory_bytes);
  visit("blocks", record.worker_blocks);
}

template <typename Result, typename Visit>
void visit_further_fields(Result& result, Visit visit) {
  visit("samples", result.samples);
  visit("accuracy", result.accuracy);
  visit("top5_accuracy", result.top5_accuracy);
  visit("test_loss", result.test_loss);
}

}  // namespace

json to_json(const RoundRecord& record) {
  json object = json::object();
  visit_fields(record, Write(object));
  json workers = json::object();
  visit_worker_fields(record, Write(workers));
  object[kWorkers] = std::move(workers);
  for (const FurtherResult& result : record.further) {
    visit_further_fields(result, Write(object[kFurther][result.name]));
  }
  return object;
}

RoundRecord round_record_from_json(const json& object) {
  if (!object.is_object()) {
    throw InputError("it is not a JSON object");
  }
  RoundRecord record;
  visit_fields(record, Read(object));
  if (!object.contains(kWorkers) || !object[kWorkers].is_object()) {
    refuse(kWorkers, "must be an object");
  }
  visit_worker_fields(record, Read(object[kWorkers]));
  if (object.contains(kFurther)) {
    if (!object[kFurther].is_object()) {
      refuse(kFurther, "must be an object");
    }
    for (const auto& [name, result] : object[kFurther].items()) {
      record.further.push_back({.name = name});
      visit_further_fields(record.further.back(), Read(result));
    }
  }
  return record;
}

}  // namespace resist
