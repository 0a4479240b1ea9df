#include "resist/telemetry/round_record.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "resist/core/error.h"

namespace resist {
namespace {

using nlohmann::json;

RoundRecord sample() {
  RoundRecord record;
  record.round = 3;
  record.epoch = 0.1;
  record.loss = 2.25;
  record.learning_rate = 0.03;
  record.samples = 25600;
  record.seconds_compute = 1.5;
  record.seconds_sync = 0.25;
  record.seconds_wait = 0.125;
  record.bytes_sent = 1'000'000;
  record.bytes_received = 1'000'000;
  record.peak_memory_bytes = 123'456'789;
  record.worker_loss = {2, 2.5};
  record.worker_seconds_compute = {1.5, 1};
  record.worker_seconds_sync = {0.25, 0.125};
  record.worker_seconds_wait = {0, 0.125};
  record.worker_bytes_sent = {400'000, 600'000};
  record.worker_bytes_received = {600'000, 400'000};
  record.worker_peak_memory_bytes = {123'456'789, 1};
  return record;
}

RoundRecord evaluated() {
  RoundRecord record = sample();
  record.seconds_evaluation = 2;
  record.accuracy = 0.875;
  record.top5_accuracy = 0.99;
  record.test_loss = 0.5;
  record.eval_batch_size = 256;
  record.eval_permutation_seed = 0;
  record.worker_blocks = {{6, 1}, {4, 1}};
  record.next_blocks = {{7, 1}, {3, 1}};
  record.further.push_back({.name = "v2", .samples = 10, .accuracy = 0.5, .top5_accuracy = 0.75, .test_loss = 1.5});
  return record;
}

TEST(RoundRecord, HasTheDocumentedKeys) {
  EXPECT_EQ(
      to_json(sample()).dump(),
      R"({"bytes_received":1000000,"bytes_sent":1000000,"epoch":0.1,"learning_rate":0.03,"loss":2.25,)"
      R"("peak_memory_bytes":123456789,"round":3,"samples":25600,"seconds_compute":1.5,"seconds_evaluation":0.0,)"
      R"("seconds_sync":0.25,"seconds_wait":0.125,"workers":{"bytes_received":[600000,400000],"bytes_sent":[400000,600000],)"
      R"("loss":[2.0,2.5],"peak_memory_bytes":[123456789,1],"seconds_compute":[1.5,1.0],)"
      R"("seconds_sync":[0.25,0.125],"seconds_wait":[0.0,0.125]}})");
  const json more = to_json(evaluated());
  EXPECT_EQ(more["accuracy"], 0.875);
  EXPECT_EQ(more["top5_accuracy"], 0.99);
  EXPECT_EQ(more["further"].dump(), R"({"v2":{"accuracy":0.5,"samples":10,"test_loss":1.5,"top5_accuracy":0.75}})");
  EXPECT_EQ(more["test_loss"], 0.5);
  EXPECT_EQ(more["eval_batch_size"], 256);
  EXPECT_EQ(more["eval_permutation_seed"], 0);
}

TEST(RoundRecord, ComesBackAsItWas) {
  for (const RoundRecord& record : {sample(), evaluated()}) {
    const RoundRecord read = round_record_from_json(json::parse(to_json(record).dump()));
    EXPECT_EQ(to_json(read), to_json(record));
    EXPECT_EQ(read.worker_bytes_sent, record.worker_bytes_sent);
    EXPECT_EQ(read.accuracy, record.accuracy);
    EXPECT_EQ(read.eval_batch_size, record.eval_batch_size);
    EXPECT_EQ(read.eval_permutation_seed, record.eval_permutation_seed);
  }
}

TEST(RoundRecord, WhatIsNotFiniteIsNullAndComesBackAsNan) {
  RoundRecord record = evaluated();
  record.loss = std::numeric_limits<double>::infinity();
  record.test_loss = std::numeric_limits<double>::quiet_NaN();
  record.worker_loss = {1, std::numeric_limits<double>::quiet_NaN()};
  const json object = json::parse(to_json(record).dump());
  EXPECT_TRUE(object["loss"].is_null());
  const RoundRecord read = round_record_from_json(object);
  EXPECT_TRUE(std::isnan(read.loss));
  ASSERT_TRUE(read.test_loss.has_value());
  EXPECT_TRUE(std::isnan(*read.test_loss));
  EXPECT_EQ(read.worker_loss[0], 1);
  EXPECT_TRUE(std::isnan(read.worker_loss[1]));
}

TEST(RoundRecord, NamesTheKeyThatIsMissingOrWrong) {
  const auto refused = [](const char* pointer, const json& value, const std::string& reason) {
    json object = to_json(evaluated());
    object[json::json_pointer(pointer)] = value;
    try {
      round_record_from_json(object);
      ADD_FAILURE() << pointer << " was accepted";
    } catch (const InputError& error) {
      EXPECT_EQ(std::string(error.what()), reason);
    }
  };
  refused("/round", 1.5, "\"round\" must be a whole number");
  refused("/round", std::numeric_limits<std::uint64_t>::max(), "\"round\" must be a whole number");
  refused("/loss", "low", "\"loss\" must be a number or null");
  refused("/accuracy", json::array(), "\"accuracy\" must be a number or null");
  refused("/workers", 1, "\"workers\" must be an object");
  refused("/workers/loss", 1, "\"loss\" must be a list");
  refused("/workers/bytes_sent", {1, "x"}, "\"bytes_sent\" must be a whole number");
  EXPECT_THROW(round_record_from_json(json::array()), InputError);
  json object = to_json(sample());
  object.erase("bytes_sent");
  EXPECT_THROW(round_record_from_json(object), InputError);
}

TEST(RoundRecord, SkipsKeysOfLaterVersions) {
  json object = to_json(sample());
  object["later"] = {1, 2};
  EXPECT_EQ(to_json(round_record_from_json(object)), to_json(sample()));
}

}  // namespace
}  // namespace resist
