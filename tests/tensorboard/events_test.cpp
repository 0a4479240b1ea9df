#include "resist/tensorboard/events.h"

#include <event.pb.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace resist {
namespace {

using event::Event;
using event::Summary;

Event parsed(const std::string& payload) {
  Event event;
  EXPECT_TRUE(event.ParseFromString(payload));
  return event;
}

std::map<std::string, float> scalars(const RoundRecord& record) {
  std::map<std::string, float> found;
  const Event event = parsed(round_event(1, record));
  for (const Summary::Value& value : event.summary().value()) {
    EXPECT_EQ(value.value_case(), Summary::Value::kSimpleValue) << value.tag();
    EXPECT_TRUE(found.emplace(value.tag(), value.simple_value()).second) << value.tag() << " is there twice";
  }
  return found;
}

RoundRecord plain_record() {
  return {.round = 7,
          .epoch = 0.5,
          .loss = 2.25,
          .learning_rate = 0.125,
          .samples = 4096,
          .seconds_compute = 3,
          .seconds_sync = 1.5,
          .seconds_wait = 0.75,
          .bytes_sent = 1'000'000'000'000,
          .bytes_received = 2048,
          .peak_memory_bytes = 4096};
}

TEST(Events, ARoundHasItsScalars) {
  const Event event = parsed(round_event(1234.5, plain_record()));
  EXPECT_EQ(event.wall_time(), 1234.5);
  EXPECT_EQ(event.step(), 7);
  EXPECT_EQ(scalars(plain_record()), (std::map<std::string, float>{{"training/loss", 2.25F},
                                                                   {"training/learning_rate", 0.125F},
                                                                   {"training/epoch", 0.5F},
                                                                   {"seconds/compute", 3.F},
                                                                   {"seconds/sync", 1.5F},
                                                                   {"seconds/wait", 0.75F},
                                                                   {"bytes/sent", 1e12F},
                                                                   {"bytes/received", 2048.F},
                                                                   {"bytes/peak_memory", 4096.F}}));
}

TEST(Events, AnEvaluatedRoundHasItsResults) {
  RoundRecord record = plain_record();
  record.seconds_evaluation = 6;
  record.accuracy = 0.5;
  record.top5_accuracy = 0.75;
  record.test_loss = 1.25;
  record.further = {{.name = "loss", .samples = 10, .accuracy = 0.25, .top5_accuracy = 0.375, .test_loss = 3},
                    {.name = "v2.b", .samples = 20, .accuracy = 0.125, .top5_accuracy = 1, .test_loss = 4}};
  auto found = scalars(record);
  for (const auto& [tag, value] : scalars(plain_record())) {
    EXPECT_EQ(found.at(tag), value) << tag;
    found.erase(tag);
  }
  EXPECT_EQ(found, (std::map<std::string, float>{{"seconds/evaluation", 6.F},
                                                 {"evaluation/accuracy", 0.5F},
                                                 {"evaluation/top5_accuracy", 0.75F},
                                                 {"evaluation/test_loss", 1.25F},
                                                 {"evaluation/loss/accuracy", 0.25F},
                                                 {"evaluation/loss/top5_accuracy", 0.375F},
                                                 {"evaluation/loss/test_loss", 3.F},
                                                 {"evaluation/v2.b/accuracy", 0.125F},
                                                 {"evaluation/v2.b/top5_accuracy", 1.F},
                                                 {"evaluation/v2.b/test_loss", 4.F}}));
}

TEST(Events, WhatIsNotFiniteStaysSo) {
  RoundRecord record = plain_record();
  record.loss = std::numeric_limits<double>::quiet_NaN();
  record.learning_rate = std::numeric_limits<double>::infinity();
  const auto found = scalars(record);
  EXPECT_TRUE(std::isnan(found.at("training/loss")));
  EXPECT_TRUE(std::isinf(found.at("training/learning_rate")));
}

TEST(Events, TheConfigIsABlockOfCode) {
  const Event event = parsed(config_event(2, 5, "# Model\nwidth = 8\n\nrun-dir = \"```\""));
  EXPECT_EQ(event.step(), 5);
  ASSERT_EQ(event.summary().value_size(), 1);
  const Summary::Value& value = event.summary().value(0);
  EXPECT_EQ(value.tag(), "config");
  EXPECT_EQ(value.metadata().plugin().name(), "text");
  EXPECT_EQ(value.tensor().dtype(), Summary::Tensor::STRING);
  EXPECT_EQ(value.tensor().shape().dim_size(), 0);
  ASSERT_EQ(value.tensor().string_val_size(), 1);
  EXPECT_EQ(value.tensor().string_val(0), "    # Model\n    width = 8\n    \n    run-dir = \"```\"\n");
}

TEST(Events, AStartSaysFromWhichRound) {
  const Event event = parsed(start_event(2, 5));
  EXPECT_EQ(event.step(), 5);
  EXPECT_EQ(event.session_log().status(), event::SessionLog::START);
  EXPECT_EQ(parsed(version_event(2)).file_version(), "brain.Event:2");
}

TEST(Events, AnAssignmentIsAnImage) {
  const Event event = parsed(assignment_event(2, 5, {.height = 3, .width = 4, .png = "bytes of a PNG\xff"}));
  ASSERT_EQ(event.summary().value_size(), 1);
  const Summary::Value& value = event.summary().value(0);
  EXPECT_EQ(event.step(), 5);
  EXPECT_EQ(value.tag(), "assignment");
  EXPECT_EQ(value.metadata().plugin().name(), "images");
  EXPECT_EQ(value.metadata().description(), AssignmentPicture::kLegend);
  EXPECT_EQ(value.metadata().data_class(), Summary::BLOB_SEQUENCE);
  EXPECT_EQ(value.tensor().dtype(), Summary::Tensor::STRING);
  ASSERT_EQ(value.tensor().shape().dim_size(), 1);
  EXPECT_EQ(value.tensor().shape().dim(0).size(), 3);
  const auto& strings = value.tensor().string_val();
  EXPECT_EQ(std::vector<std::string>(strings.begin(), strings.end()),
            (std::vector<std::string>{"4", "3", "bytes of a PNG\xff"}));
}

TEST(Events, AStepIsReadBack) {
  EXPECT_EQ(event_step(round_event(1, plain_record())), 7);
  EXPECT_EQ(event_step(version_event(1)), 0);
  EXPECT_EQ(event_step("\xff no event"), std::nullopt);
}

}  // namespace
}  // namespace resist
