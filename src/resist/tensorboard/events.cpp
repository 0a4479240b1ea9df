#include "resist/tensorboard/events.h"

#include <event.pb.h>

#include <algorithm>
#include <limits>

namespace resist {
namespace {

using event::Event;
using event::Summary;

Event make_event(double wall_time, std::int64_t step) {
  Event event;
  event.set_wall_time(wall_time);
  event.set_step(step);
  return event;
}

Summary::Value& add_value(Event& event, const std::string& tag) {
  Summary::Value& value = *event.mutable_summary()->add_value();
  value.set_tag(tag);
  return value;
}

void add_scalar(Event& event, const std::string& tag, double value) {
  add_value(event, tag).set_simple_value(static_cast<float>(value));
}

void add_scalar(Event& event, const std::string& tag, std::int64_t value) {
  add_scalar(event, tag, static_cast<double>(value));
}

void add_evaluation(Event& event, const RoundRecord& record) {
  if (!record.accuracy) {
    return;
  }
  const std::string group = "evaluation/";
  add_scalar(event, group + "accuracy", *record.accuracy);
  add_scalar(event, group + "top5_accuracy", record.top5_accuracy.value());
  add_scalar(event, group + "test_loss", record.test_loss.value());
  for (const FurtherResult& result : record.further) {
    const std::string further = group + result.name + '/';
    add_scalar(event, further + "accuracy", result.accuracy);
    add_scalar(event, further + "top5_accuracy", result.top5_accuracy);
    add_scalar(event, further + "test_loss", result.test_loss);
  }
  add_scalar(event, "seconds/evaluation", record.seconds_evaluation);
}

// Every line indented by four spaces: unlike a fence, nothing that a line holds can end that.
std::string as_code_block(std::string_view text) {
  std::string block;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    block.append("    ").append(line) += '\n';
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return block;
}

}  // namespace

std::string version_event(double wall_time) {
  Event event = make_event(wall_time, 0);
  event.set_file_version("brain.Event:2");  // from 2 on a session's start counts
  return event.SerializeAsString();
}

std::string start_event(double wall_time, std::int64_t step) {
  Event event = make_event(wall_time, step);
  event.mutable_session_log()->set_status(event::SessionLog::START);
  return event.SerializeAsString();
}

std::string config_event(double wall_time, std::int64_t step, std::string_view config_toml) {
  Event event = make_event(wall_time, step);
  Summary::Value& value = add_value(event, "config");
  value.mutable_metadata()->mutable_plugin()->set_name("text");
  value.mutable_metadata()->set_data_class(Summary::TENSOR);
  value.mutable_tensor()->set_dtype(Summary::Tensor::STRING);
  value.mutable_tensor()->mutable_shape();  // no dimensions: of a vector TensorBoard would make a table
  value.mutable_tensor()->add_string_val(as_code_block(config_toml));
  return event.SerializeAsString();
}

std::string round_event(double wall_time, const RoundRecord& record) {
  Event event = make_event(wall_time, record.round);
  add_scalar(event, "training/loss", record.loss);
  add_scalar(event, "training/learning_rate", record.learning_rate);
  add_scalar(event, "training/epoch", record.epoch);
  add_scalar(event, "seconds/compute", record.seconds_compute);
  add_scalar(event, "seconds/wait", record.seconds_wait);
  add_scalar(event, "seconds/sync", record.seconds_sync);
  add_scalar(event, "bytes/sent", record.bytes_sent);
  add_scalar(event, "bytes/received", record.bytes_received);
  add_scalar(event, "bytes/peak_memory", record.peak_memory_bytes);
  add_evaluation(event, record);
  return event.SerializeAsString();
}

std::string assignment_event(double wall_time, std::int64_t step, const AssignmentPicture& picture) {
  Event event = make_event(wall_time, step);
  Summary::Value& value = add_value(event, "assignment");
  // Not the older Image message: with that one TensorBoard leaves the description out.
  value.mutable_metadata()->mutable_plugin()->set_name("images");
  value.mutable_metadata()->set_description(AssignmentPicture::kLegend);
  value.mutable_metadata()->set_data_class(Summary::BLOB_SEQUENCE);
  Summary::Tensor& tensor = *value.mutable_tensor();
  tensor.set_dtype(Summary::Tensor::STRING);
  tensor.mutable_shape()->add_dim()->set_size(3);
  tensor.add_string_val(std::to_string(picture.width));
  tensor.add_string_val(std::to_string(picture.height));
  tensor.add_string_val(picture.png);
  return event.SerializeAsString();
}

std::optional<std::int64_t> event_step(std::string_view event) {
  Event parsed;
  if (event.size() > std::numeric_limits<int>::max() ||
      !parsed.ParseFromArray(event.data(), static_cast<int>(event.size()))) {
    return std::nullopt;
  }
  return parsed.step();
}

}  // namespace resist
